"""Scorers in processes of their own: answers in the order of the tasks, and a killed process is replaced."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext

from fer_gateway.commands.scoring import Piece, Recipe, Scorer, Task
from fer_gateway.errors import AnalysisCrashed

ATTEMPTS = 3
"""How often a task may end its process before it is given up."""

LEAD = 32
"""Tasks for each process that may be done before the oldest one is; their answers wait in memory."""

END_WITHIN_S = 5.0


class ScorerPool:
    """Analyses tasks in up to `jobs` processes, each with open models of its own.

    Each process has a pipe of its own, so that a killed one takes nothing but its own task with it; that is
    done again in a new process. `concurrent.futures` instead ends all processes with the one, and cannot say
    which task it had.
    """

    def __init__(self, recipe: Recipe, jobs: int) -> None:
        """Prepare; processes start as there is work for them."""
        self._recipe = recipe
        self._jobs = jobs
        self._context = multiprocessing.get_context("spawn")  # threads of ONNX Runtime do not survive a fork
        self._workers: list[_Worker] = []
        self._again: deque[_Job] = deque()
        self._done: dict[int, Piece] = {}
        self._begun = self._told = 0

    def score(self, tasks: Iterable[Task], scorer: Scorer) -> Iterator[Piece]:
        """The piece of each task, in their order; `scorer` words why a task was given up.

        Raises:
            CannotWrite: see `Scorer.pieces`.
            ModelNotFound, ...: see `Analyzer.open`.
        """
        todo = iter(tasks)
        try:
            while self._hand_out(todo):
                busy = [worker.pipe for worker in self._workers if worker.job is not None]
                ready = wait(busy)
                for worker in [worker for worker in self._workers if worker.pipe in ready]:
                    self._settle(worker, scorer)
                while self._told in self._done:
                    yield self._done.pop(self._told)
                    self._told += 1
        finally:
            for worker in self._workers:
                worker.end()
            self._workers = []

    def _hand_out(self, todo: Iterator[Task]) -> bool:
        """Give as many processes as may work something to do; whether anything is under way then."""
        idle = [worker for worker in self._workers if worker.job is None]
        while len(self._workers) - len(idle) < self._jobs and (job := self._next(todo)) is not None:
            if not idle:
                idle.append(_Worker(self._context, self._recipe))
                self._workers.append(idle[0])
            idle.pop().begin(job)
        return len(self._workers) > len(idle)

    def _next(self, todo: Iterator[Task]) -> "_Job | None":
        if self._again:
            return self._again.popleft()
        if self._begun - self._told >= LEAD * self._jobs or (task := next(todo, None)) is None:
            return None
        self._begun += 1
        return _Job(self._begun - 1, task)

    def _settle(self, worker: "_Worker", scorer: Scorer) -> None:
        """Take the answer of a process, or see why there is none."""
        job, reply = worker.settle()
        if isinstance(reply, Exception):
            raise reply
        if reply is not None:
            self._done[job.number] = reply
            return
        self._workers.remove(worker)
        if job.attempts < ATTEMPTS:
            self._again.append(job)
            return
        status = worker.process.exitcode
        self._done[job.number] = scorer.failure(job.task, _crash(status or 0))


def _crash(status: int) -> AnalysisCrashed:
    how = f"signal `{signal.Signals(-status).name}`" if status < 0 else f"exit status `{status}`"
    return AnalysisCrashed(
        f"`{ATTEMPTS}` processes ended while they analysed it, the last with {how}. It may need more memory "
        "than there is: try fewer `--jobs`, or a smaller picture."
    )


@dataclass(slots=True)
class _Job:
    """A task, its place in the order, and how often it was begun."""

    number: int
    task: Task
    attempts: int = 0


class _Worker:
    """A process and this end of the pipe to it. It ends by itself when this end closes, for any reason."""

    def __init__(self, context: SpawnContext, recipe: Recipe) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(recipe, theirs), daemon=True)
        self.process.start()
        theirs.close()  # or the end of the process would not close the pipe
        self.job: _Job | None = None

    def begin(self, job: _Job) -> None:
        """Hand a job over; whether it arrived shows when it is settled."""
        job.attempts += 1
        self.job = job
        with suppress(BrokenPipeError):
            self.pipe.send(job.task)

    def settle(self) -> tuple[_Job, Piece | Exception | None]:
        """The job, and what the process sent; None where it ended instead."""
        job, reply = self.job, None
        assert job is not None  # noqa: S101 - for mypy; only busy processes are settled
        with suppress(EOFError, ConnectionResetError):
            reply = self.pipe.recv()
        if reply is None:
            self.end()
        self.job = None
        return job, reply

    def end(self) -> None:
        """Let the process end; at once where it works on something."""
        self.pipe.close()
        if self.job is not None:
            self.process.terminate()
        self.process.join(END_WITHIN_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _work(recipe: Recipe, pipe: Connection) -> None:
    """What a process does: answer one task after the other until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            scorer = Scorer(recipe)
            while True:
                pipe.send(scorer.score(pipe.recv()))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 - raised where it can be told, as in one process
            pipe.send(error)
