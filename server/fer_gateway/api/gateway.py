"""What lives as long as the server: the analyzer, its workers, and the places that clients can take."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count

import anyio
import anyio.to_thread

from fer_gateway.analyzer import Analyzer
from fer_gateway.api.battery import sparing_battery
from fer_gateway.api.crowd import Crowd
from fer_gateway.api.hub import Hub
from fer_gateway.api.metrics import Metrics
from fer_gateway.api.pace import Pace
from fer_gateway.api.workers import Worker, Workers
from fer_gateway.contract import ModelCard
from fer_gateway.errors import Busy, GatewayError, NotReady, Restarting
from fer_gateway.faces import Analysis
from fer_gateway.memory import give_back_memory
from fer_gateway.settings import Settings
from fer_gateway.vision.opencv import configure_opencv

log = logging.getLogger(__name__)

OpenAnalyzer = Callable[[Settings], Analyzer]


def open_analyzer(settings: Settings) -> Analyzer:
    """The analyzer that `settings` describe; for its errors see `Analyzer.open`."""
    return Analyzer.open(
        settings.model_file,
        settings.landmarks_file,
        threads=settings.threads,
        providers=settings.providers,
        max_bytes=settings.max_body_bytes,
        max_pixels=settings.max_pixels,
    )


def stopping() -> Restarting:
    """Why a stream ends when the gateway does."""
    return Restarting("The gateway stops. Connect again in a moment.")


class Gateway:
    """Serves analyses while it is running; before and after, what needs the model raises `NotReady`."""

    def __init__(
        self,
        settings: Settings,
        open_analyzer: OpenAnalyzer = open_analyzer,
        analyzer: Analyzer | None = None,
    ) -> None:
        """Prepare; `analyzer` answers first, if there is one, and `open_analyzer` opens all others."""
        self.settings = settings
        self.metrics = Metrics()
        self.hub = Hub()
        self.pace = Pace(settings.max_fps)
        self.crowd = Crowd(settings.worker_count)
        self.draining = anyio.Event()
        """Set once the gateway is told to stop."""
        self._open_analyzer = open_analyzer
        self._first = analyzer
        self._analyzer: Analyzer | None = None
        self._workers: Workers | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reloading = False
        self._reload_wanted = False  # set by a signal handler, which must not wait for a lock
        self._left = anyio.Event()
        self._started_s = time.monotonic()
        self._requests = 0
        self._streams = 0
        self._numbers = count(1)
        self._on_stuck: Callable[[], None] | None = None
        self.metrics.watch(
            streams=lambda: self._streams, pictures=lambda: self._requests, stuck=lambda: self.stuck
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the model and the threads for the time of the block."""
        configure_opencv()
        analyzer = self._first
        if analyzer is None:
            analyzer = await anyio.to_thread.run_sync(self._open_analyzer, self.settings)
        workers = Workers(self.settings.worker_count, self.settings.analysis_timeout_s, self._stuck)
        self._analyzer, self._workers = analyzer, workers
        self._loop = asyncio.get_running_loop()
        self.metrics.model(analyzer.card)
        self._first = analyzer = None  # one that is replaced must not stay in memory
        if self._reload_wanted:
            self.reload_soon()
        try:
            async with sparing_battery(self.pace, wanted=self.settings.battery):
                yield
        finally:
            self._analyzer = self._workers = self._loop = None
            await anyio.to_thread.run_sync(workers.close)

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started_s

    @property
    def analyzer(self) -> Analyzer:
        """The open analyzer.

        Raises:
            NotReady: the model is not open yet, or the gateway is draining.
        """
        if self._analyzer is None:
            raise NotReady("The gateway is starting or stopping. Try again in a moment.")
        return self._analyzer

    def check_ready(self) -> None:
        """Whether new work should come here.

        Raises:
            NotReady: the model is not open yet, or the gateway is draining.
            WorkersStuck: see `check_alive`.
        """
        if self._analyzer is None or self.draining.is_set():
            raise NotReady("The gateway is starting or stopping. Try again in a moment.")
        self.check_alive()

    def check_alive(self) -> None:
        """Whether this process is worth keeping.

        Raises:
            WorkersStuck: as many analyses hang as there are workers; only a new process helps.
        """
        if self._workers is not None:
            self._workers.check()

    def when_stuck(self, call: Callable[[], None]) -> None:
        """Have `call` called once `check_alive` fails, to start again."""
        self._on_stuck = call

    @property
    def stuck(self) -> int:
        """Threads that hang."""
        return self._workers.stuck if self._workers is not None else 0

    def _stuck(self) -> None:
        if self._on_stuck is not None:
            self._on_stuck()

    async def reload(self) -> ModelCard:
        """Open the model's file again; from the next picture on it answers, and no stream is interrupted.

        Raises:
            Busy: it is being opened already.
            ModelNotFound, InvalidModel, SelfTestFailed, ...: see `Analyzer.open`; the old one goes on.
        """
        self.check_ready()
        if self._reloading:
            raise Busy("A model is being opened already. Try again in a moment.")
        self._reloading = True
        try:
            analyzer = await anyio.to_thread.run_sync(self._open_analyzer, self.settings)
        except GatewayError as error:
            self.metrics.swap(error.code)
            log.error("the model stays, for the new one cannot serve: %s", error)  # noqa: TRY400
            raise
        except Exception:
            self.metrics.swap(GatewayError.code)
            log.exception("the model stays, for the new one could not be opened")
            raise
        finally:
            self._reloading = False
            if self._reload_wanted:
                self.reload_soon()
        self.check_ready()
        self._analyzer = analyzer
        self.metrics.swap("swapped")
        self.metrics.model(analyzer.card)
        log.info("`%s` `%s` answers from now on", analyzer.card.name, analyzer.card.version)
        await anyio.to_thread.run_sync(give_back_memory)
        return analyzer.card

    def reload_soon(self) -> None:
        """`reload` on behalf of nobody, from a signal handler or another thread; errors are in the log.

        Asked for before the start it is done right after it, and asked for while a model is being opened it
        is done once more: the file may have been replaced since.
        """
        self._reload_wanted = True
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._reload_as_wanted(), self._loop)

    async def _reload_as_wanted(self) -> None:
        if not self._reload_wanted or self._reloading:
            return  # done already, or the reload that is under way sees to it at its end
        self._reload_wanted = False
        try:
            await self.reload()
        except NotReady as error:
            log.warning("%s", error)
        except Exception:  # noqa: BLE001 - nobody waits for it, and it is logged
            return

    async def drain(self) -> None:
        """Take no new streams, and wait until those that are open and all pictures have been answered."""
        self.draining.set()
        self._check_left()
        await self._left.wait()

    def report(self, analysis: Analysis, card: ModelCard, *, stream: int | None = None) -> None:
        """Count what a posted picture shows, or a frame of the stream of this number, and tell listeners."""
        self.metrics.analysis("picture" if stream is None else "stream", analysis)
        self.hub.publish(analysis, card, stream=stream)

    def next_number(self) -> int:
        """A number for a stream, which no other one gets."""
        return next(self._numbers)

    def _check_left(self) -> None:
        if self.draining.is_set() and not (self._requests or self._streams):
            self._left.set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Worker]:
        """Wait in line for a thread."""
        if self._workers is None:
            raise NotReady("The gateway is starting or stopping. Try again in a moment.")
        asked_s = time.perf_counter()
        async with self._workers.turn() as worker:
            began_s = time.perf_counter()
            self.metrics.wait(began_s - asked_s)
            yield worker
            self.crowd.served(time.perf_counter() - began_s)

    def take_credits(self, wanted: int) -> int:
        """How many of `wanted` credits a stream may be granted now; never before one that waits for one."""
        return self.pace.take(self.crowd.take(wanted))

    async def wait_for_credit(self) -> None:
        """Wait in line until a stream may be granted one credit, which it then does at once."""
        await self.pace.wait()
        await self.crowd.wait()

    @contextmanager
    def request_place(self, places: int = 1) -> Iterator[None]:
        """A place, or several, among the pictures that are being received, waiting or analysed.

        Raises:
            Busy: too few of the `max_waiting` places are free.
        """
        wanted = min(places, self.settings.max_waiting)
        if self._requests + wanted > self.settings.max_waiting:
            raise Busy(f"`{self._requests}` pictures are waiting already. Try again in a moment.")
        self._requests += wanted
        try:
            yield
        finally:
            self._requests -= wanted
            self._check_left()

    @contextmanager
    def stream_place(self) -> Iterator[None]:
        """A place for one stream.

        Raises:
            Busy: all `max_streams` places are taken.
            Restarting: the gateway stops.
        """
        if self.draining.is_set():
            raise stopping()
        if self._streams >= self.settings.max_streams:
            raise Busy(f"All `{self._streams}` places for streams are taken. Try again in a moment.")
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1
            self._check_left()
