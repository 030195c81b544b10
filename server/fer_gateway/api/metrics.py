"""What the gateway counts, for Prometheus: numbers of the process and its work, nothing about any face."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fer_gateway import __version__
from fer_gateway.contract import ModelCard
from fer_gateway.faces import Analysis

log = logging.getLogger("fer_gateway.requests")

CONTENT_TYPE = CONTENT_TYPE_LATEST
PROBLEM_KEY = "fer_gateway.problem"
"""Where a problem that is sent leaves its code in the scope of its request."""

STAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "DELETE", "PUT", "PATCH"})
"""Clients may send any word as a method; a metric must not grow with what they think of."""


class Metrics:
    """The counters of one application, in a registry of its own: two in one process do not mix."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Gauge("fer_build_info", "The version that runs.", ["version"], registry=registry).labels(
            __version__
        ).set(1)
        self._model = Gauge(
            "fer_model_info", "The model that answers.", ["name", "version", "precision"], registry=registry
        )
        self._swaps = Counter(
            "fer_model_swaps", "Models that were to replace the one that answers.", ["outcome"],
            registry=registry,
        )  # fmt: skip
        self._streams = Gauge("fer_streams", "Streams that are open.", registry=registry)
        self._places = Gauge(
            "fer_pictures_waiting", "Pictures received, in line or at work.", registry=registry
        )
        self._stuck = Gauge("fer_workers_stuck", "Threads that hang in an analysis.", registry=registry)
        Gauge("fer_tasks", "Tasks of the event loop.", registry=registry).set_function(running_tasks)
        self._received = Counter("fer_frames_received", "Frames of streams that came in.", registry=registry)
        self._dropped = Counter(
            "fer_frames_dropped", "Frames of streams that a newer one replaced.", registry=registry
        )
        self._analyzed = Counter(
            "fer_analyzed", "Frames of a `stream` and posted `picture`s that were analysed.", ["source"],
            registry=registry,
        )  # fmt: skip
        self._failed = Counter(
            "fer_frames_failed", "Frames of streams that could not be analysed.", registry=registry
        )
        self._faces = Counter("fer_faces", "Faces found.", ["source", "uncertain"], registry=registry)
        self._stages = Histogram(
            "fer_stage_seconds", "Time of each stage of an analysis, and of all.", ["source", "stage"],
            buckets=STAGE_SECONDS, registry=registry,
        )  # fmt: skip
        self._waits = Histogram(
            "fer_turn_wait_seconds", "Time in line for a worker.", buckets=STAGE_SECONDS, registry=registry
        )
        self._problems = Counter("fer_problems", "Errors answered, by code.", ["code"], registry=registry)
        self._requests = Histogram(
            "fer_request_seconds", "Time of HTTP requests, their bodies included.",
            ["method", "route", "status"], buckets=REQUEST_SECONDS, registry=registry,
        )  # fmt: skip

    def render(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def watch(
        self, *, streams: Callable[[], int], pictures: Callable[[], int], stuck: Callable[[], int]
    ) -> None:
        """Where to look up what is a state and no event."""
        self._stuck.set_function(stuck)
        self._streams.set_function(streams)
        self._places.set_function(pictures)

    def model(self, card: ModelCard) -> None:
        """This model answers from now on."""
        self._model.clear()
        self._model.labels(card.name, card.version, card.precision).set(1)

    def swap(self, outcome: str) -> None:
        """A model was `swapped`, or refused: then `outcome` is the code of its error."""
        self._swaps.labels(outcome).inc()

    def frame(self) -> None:
        """A frame of a stream came in."""
        self._received.inc()

    def dropped(self, count: int) -> None:
        """So many frames of a stream were replaced."""
        self._dropped.inc(count)

    def analysis(self, source: str, analysis: Analysis) -> None:
        """A `picture` or a frame of a `stream` was analysed."""
        self._analyzed.labels(source).inc()
        for face in analysis.faces:
            self._faces.labels(source, str(face.uncertain).lower()).inc()
        for stage, duration_ms in analysis.timing.items():
            self._stages.labels(source, stage.removesuffix("_ms")).observe(duration_ms / 1e3)

    def failure(self) -> None:
        """A frame of a stream could not be analysed."""
        self._failed.inc()

    def problem(self, code: str) -> None:
        """A problem was told to a client."""
        self._problems.labels(code).inc()

    def request(self, method: str, route: str, status: int, duration_s: float) -> None:
        """An HTTP request was answered; `route` is a template, not the path, and so is in the log."""
        known = method if method in METHODS else "OTHER"
        self._requests.labels(known, route, str(status)).observe(duration_s)
        facts = {"method": known, "route": route, "status": status, "duration_ms": round(duration_s * 1e3, 1)}
        log.info("%s %s %s", known, route, status, extra=facts)

    def wait(self, duration_s: float) -> None:
        """Somebody stood in line for a worker for so long."""
        self._waits.observe(duration_s)


class Meter:
    """Counts every HTTP request, refused ones too, and the code of each problem that is sent."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        started_s = time.perf_counter()
        status = 499  # the client left before there was an answer

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        finally:
            if PROBLEM_KEY in scope:
                self._metrics.problem(scope[PROBLEM_KEY])
            if scope["type"] == "http":
                duration_s = time.perf_counter() - started_s
                self._metrics.request(scope["method"], route_of(scope), status, duration_s)


def running_tasks() -> int:
    """Tasks of the event loop that asks, its own included."""
    return len(asyncio.all_tasks())


def route_of(scope: Mapping[str, object]) -> str:
    """The template of the route that answered; refusals and what does not exist have none."""
    return str(getattr(scope.get("route"), "path", "none"))
