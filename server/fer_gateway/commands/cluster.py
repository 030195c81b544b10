"""The same scorer on the machines of a Ray cluster: Ray Data, one open session for each actor."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_gateway.commands.scoring import Piece, Recipe, Scorer, Task
from fer_gateway.errors import CannotWrite, ExtraMissing

BATCH = 8
"""Tasks for which an actor answers at once."""

COLUMNS = ("text", "complaint", "failed", "refusal")

Batch = Mapping[str, NDArray[Any]]


class BatchScorer:
    """What Ray makes one of for each actor, and calls with one batch after the other."""

    def __init__(self, recipe: Recipe, tasks: Sequence[Task]) -> None:
        """Open the models; `tasks` are all that there are, a batch names some of them."""
        self._scorer = Scorer(recipe)
        self._tasks = tasks

    def __call__(self, batch: Batch) -> dict[str, NDArray[Any]]:
        """The piece of each task, one value a column; `batch["id"]` has their numbers."""
        numbers = batch["id"]
        rows = [self._row(self._tasks[int(number)]) for number in numbers]
        columns = zip(COLUMNS, zip(*rows, strict=True), strict=True)
        return {"id": numbers, **{name: np.array(values, object) for name, values in columns}}

    def _row(self, task: Task) -> tuple[str, str, bool, str]:
        try:
            piece = self._scorer.score(task)
        except CannotWrite as error:  # an exception would come out of Ray as one of its own
            return "", "", True, str(error)
        return piece.text, piece.complaint, piece.failed, ""


def score_on_ray(recipe: Recipe, tasks: Sequence[Task], actors: int) -> Iterator[Piece]:
    """The piece of each task, in their order, from `actors` actors; Ray replaces those that are killed.

    `RAY_ADDRESS` names the cluster, whose machines must see the files under the same paths; without it, Ray
    starts on this machine and ends with the iteration.

    Raises:
        ExtraMissing: Ray is not installed.
        CannotWrite: see `Scorer.pieces`.
    """
    ray = _ray()
    # Where Ray starts here: a processor for each actor, and one for the tasks that feed them.
    own = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": actors + 1, "include_dashboard": False}
    ray.init(log_to_driver=False, logging_level=logging.ERROR, **own)
    try:
        logging.getLogger("ray").setLevel(logging.ERROR)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        answers = ray.data.range(len(tasks), override_num_blocks=-(-len(tasks) // BATCH)).map_batches(
            BatchScorer,
            fn_constructor_kwargs={"recipe": recipe, "tasks": tasks},
            batch_size=BATCH,
            compute=ray.data.ActorPoolStrategy(size=actors),
        )
        for row in answers.iter_rows():
            if row["refusal"]:
                raise CannotWrite(row["refusal"])
            yield Piece(row["text"], row["complaint"], bool(row["failed"]))
    finally:
        ray.shutdown()


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves this machine
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its own files tell more; the terminal is ours
    try:
        import_module("ray.data")
        return import_module("ray")
    except ImportError as exc:
        raise ExtraMissing(
            f"`--engine ray` needs Ray Data ({exc}): `pip install 'fer-gateway[cluster]'`. On one machine, "
            "`--jobs` does the same without it."
        ) from exc
