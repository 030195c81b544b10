"""Chromium with a camera that plays a clip, and a real gateway for it to talk to."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Browser, Page, Playwright

from .chromium import QUIET, fake_camera, find_chromium, open_context
from .gateway_process import GatewayProcess

CLIP_FRAMES = 30
CLIP_SIZE_PX = (640, 480)
FRAMED_PX = (75, 0, 320, 240)
"""Left, top, width and height of the part of the photo that the camera sees: head and shoulders."""
SWAY_PX = 8

Launch = Callable[..., Browser]
MakeGateway = Callable[..., GatewayProcess]


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The Chromium to drive; without one the browser tests are skipped, in CI they fail."""
    path = find_chromium()
    if path is None:
        reason = "NO BROWSER TESTS: install `chromium`, or name one in the environment variable `CHROMIUM`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def gateway() -> Iterator[GatewayProcess]:
    """One gateway for all tests that leave it running."""
    process = GatewayProcess()
    try:
        yield process.start()
    finally:
        process.stop()


@pytest.fixture
def make_gateway() -> Iterator[MakeGateway]:
    """Starts gateways that a test may stop and start again."""
    processes: list[GatewayProcess] = []

    def make(**options: object) -> GatewayProcess:
        processes.append(GatewayProcess(**options))  # type: ignore[arg-type]
        return processes[-1].start()

    yield make
    for process in processes:
        process.stop()


@pytest.fixture(scope="session")
def clip(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of a smiling face that sways a little, as Motion JPEG."""
    left, top, width, height = FRAMED_PX
    photo = cv2.imread(str(astronaut))
    assert photo is not None
    path = tmp_path_factory.mktemp("camera") / "astronaut.mjpeg"
    with path.open("wb") as file:
        for index in range(CLIP_FRAMES):
            sway = round(SWAY_PX * math.sin(2 * math.pi * index / CLIP_FRAMES))
            seen = photo[top : top + height, left + sway : left + sway + width]
            frame = cv2.resize(seen, CLIP_SIZE_PX, interpolation=cv2.INTER_CUBIC)
            encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
            file.write(encoded.tobytes())
    return path


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: Path, clip: Path) -> Iterator[Browser]:
    """Chromium whose camera plays the clip."""
    browser = start(playwright, chromium, fake_camera(clip))
    yield browser
    browser.close()


@pytest.fixture
def launch(playwright: Playwright, chromium: Path) -> Iterator[Launch]:
    """Starts Chromium with other arguments."""
    browsers: list[Browser] = []

    def launch(*arguments: str) -> Browser:
        browsers.append(start(playwright, chromium, arguments))
        return browsers[-1]

    yield launch
    for browser in browsers:
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own, its notice accepted: no cache, no service worker of another test."""
    with open_context(browser) as context:
        yield context.new_page()


def start(playwright: Playwright, chromium: Path, arguments: Sequence[str]) -> Browser:
    """Start Chromium without its own traffic to the network."""
    return playwright.chromium.launch(executable_path=chromium, args=[*QUIET, *arguments])
