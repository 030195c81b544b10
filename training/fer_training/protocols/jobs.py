"""Folds in several processes: each trains its own, all end with the first that fails."""

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread

from fer_training.errors import CheckpointError
from fer_training.protocols.fold import FoldResult, FoldTask, train_fold

LOG = "log.txt"
"""What a fold says while others run beside it, in its folder."""


def train_folds(tasks: Sequence[FoldTask], jobs: int) -> Iterator[FoldResult]:
    """The results of the folds as they finish; with one job in this process, in order.

    Raises:
        TrainingError: as `train_fold`; and CheckpointError where a process was killed.
    """
    if jobs == 1 or len(tasks) < 2:
        yield from map(train_fold, tasks)
        return
    with ProcessPoolExecutor(
        min(jobs, len(tasks)), mp_context=get_context("spawn"), initializer=_end_with_parent
    ) as pool:
        try:
            for future in as_completed([pool.submit(_logged, task) for task in tasks]):
                yield future.result()
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                child.terminate()
            if isinstance(error, BrokenProcessPool):
                raise CheckpointError(
                    "a process that trained a fold was killed (out of memory?); the same command goes on, "
                    "with fewer `--jobs` it needs less memory"
                ) from error
            raise


def _logged(task: FoldTask) -> FoldResult:
    """Lines of folds that run side by side would be a muddle."""
    task.folder.mkdir(parents=True, exist_ok=True)
    with (task.folder / LOG).open("a", encoding="utf-8") as log, redirect_stderr(log):
        return train_fold(task)


def _end_with_parent() -> None:
    """A parent that is killed cannot end its children: left alone, they and a resumed run would collide."""
    parent = parent_process()
    assert parent is not None  # noqa: S101, only runs in a child

    def watch() -> None:
        wait([parent.sentinel])
        sys.stderr.flush()
        os._exit(1)

    Thread(target=watch, daemon=True).start()
