"""A real gateway on a real socket, with a real if tiny ONNX model."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from fer_gateway.api.gateway import OpenAnalyzer, open_analyzer
from fer_gateway.settings import Settings

from .harness import Running, Start, serve


@pytest.fixture(scope="session")
def settings(tiny_model: Path) -> Settings:
    return Settings(model=tiny_model, workers=2)


@pytest.fixture(scope="session")
def start(settings: Settings) -> Iterator[Start]:
    """Start further gateways with other settings; they run to the end of the session."""
    with ExitStack() as stack:

        def start(open_analyzer: OpenAnalyzer = open_analyzer, **changes: Any) -> Running:
            return stack.enter_context(serve(settings.model_copy(update=changes), open_analyzer))

        yield start


@pytest.fixture(scope="session")
def gateway(settings: Settings) -> Iterator[Running]:
    with serve(settings) as running:
        yield running


@pytest.fixture
def client(gateway: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def hopper_jpg(grace_hopper: Path) -> bytes:
    return grace_hopper.read_bytes()


@pytest.fixture(scope="session")
def astronaut_png(astronaut: Path) -> bytes:
    return astronaut.read_bytes()


@pytest.fixture(scope="session")
def gradient_jpg() -> bytes:
    """A picture without a face, 320 x 240."""
    ramp = np.linspace(0, 255, 320, dtype=np.uint8)
    done, data = cv2.imencode(".jpg", np.repeat(ramp[None], 240, axis=0))
    assert done
    return bytes(data)
