"""What lives as long as the server: the analyzer, its workers, and the places that clients can take."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import anyio.to_thread

from fer_gateway.analyzer import Analyzer
from fer_gateway.api.workers import Worker, Workers
from fer_gateway.errors import Busy, NotReady
from fer_gateway.settings import Settings
from fer_gateway.vision.opencv import configure_opencv

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


class Gateway:
    """Serves analyses while it is running; before and after, what needs the model raises `NotReady`."""

    def __init__(self, settings: Settings, open_analyzer: OpenAnalyzer = open_analyzer) -> None:
        self.settings = settings
        self._open_analyzer = open_analyzer
        self._analyzer: Analyzer | None = None
        self._workers: Workers | None = None
        self._requests = 0
        self._streams = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the model and the threads for the time of the block."""
        configure_opencv()
        analyzer = await anyio.to_thread.run_sync(self._open_analyzer, self.settings)
        workers = Workers(self.settings.worker_count)
        self._analyzer, self._workers = analyzer, workers
        try:
            yield
        finally:
            self._analyzer = self._workers = None
            await anyio.to_thread.run_sync(workers.close)

    @property
    def analyzer(self) -> Analyzer:
        """The open analyzer.

        Raises:
            NotReady: the model is not open yet, or the gateway is draining.
        """
        if self._analyzer is None:
            raise NotReady("The gateway is starting or stopping. Try again in a moment.")
        return self._analyzer

    def turn(self) -> AbstractAsyncContextManager[Worker]:
        """Wait in line for a thread."""
        if self._workers is None:
            raise NotReady("The gateway is starting or stopping. Try again in a moment.")
        return self._workers.turn()

    @contextmanager
    def request_place(self) -> Iterator[None]:
        """A place among the pictures that are being received, waiting or analysed.

        Raises:
            Busy: all `max_waiting` places are taken.
        """
        if self._requests >= self.settings.max_waiting:
            raise Busy(f"`{self._requests}` pictures are waiting already. Try again in a moment.")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    @contextmanager
    def stream_place(self) -> Iterator[None]:
        """A place for one stream.

        Raises:
            Busy: all `max_streams` places are taken.
        """
        if self._streams >= self.settings.max_streams:
            raise Busy(f"All `{self._streams}` places for streams are taken. Try again in a moment.")
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1
