"""What tests of the API share: a running gateway and a look at problems."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from fer_gateway.api.app import create_app
from fer_gateway.api.gateway import OpenAnalyzer, open_analyzer
from fer_gateway.api.server import GatewayServer, server_for
from fer_gateway.settings import Settings


@dataclass(frozen=True)
class Running:
    """A gateway that answers."""

    app: FastAPI
    port: int
    server: GatewayServer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/stream"


Start = Callable[..., Running]


@contextmanager
def serve(settings: Settings, open_analyzer: OpenAnalyzer = open_analyzer) -> Iterator[Running]:
    """Run a gateway in a thread of this process, on any free port."""
    app = create_app(settings, open_analyzer=open_analyzer)
    server = server_for(app, settings)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the gateway did not start"
                time.sleep(0.01)
            yield Running(app, listener.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive(), "the gateway did not stop"


def problem_of(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in a response, checked for the members that every problem has."""
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert response.status_code == problem["status"] == status, problem
    assert problem["code"] == code, problem
    assert problem["type"] == f"urn:fer-gateway:problem:{code}"
    assert problem["title"]
    assert len(problem["detail"]) > 10
    assert problem["instance"] == response.request.url.path
    return problem
