"""The main job in a real browser: camera, stream, label on the screen."""

import re
from pathlib import Path

import cv2
import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .chromium import open_context
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

RESULT_WITHIN_MS = 20_000
VIEWS = 4
EMOTIONS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]


def start_camera(page: Page, url: str) -> None:
    """Open the page, start its camera, wait for the first face."""
    page.goto(url)
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)


def test_says_happiness_for_a_broad_smile(page: Page, gateway: GatewayProcess) -> None:
    start_camera(page, gateway.url)

    expect(page.get_by_test_id("main-label")).to_have_text("happiness")
    expect(page.get_by_test_id("main-confidence")).to_have_text(re.compile(r"^\d{1,3}%$"))
    expect(page.locator(".face-label").first).to_have_text(re.compile(r"^happiness \d{1,3}%$"))
    expect(page.locator("#announcement")).to_have_text(
        re.compile(r"^happiness, \d{1,3}%$"), timeout=RESULT_WITHIN_MS
    )


def test_shows_all_emotions_and_how_fast_it_is(page: Page, gateway: GatewayProcess) -> None:
    start_camera(page, gateway.url)

    bars = page.get_by_test_id("bars").get_by_role("meter")
    expect(bars).to_have_count(len(EMOTIONS))
    assert [bar.get_attribute("aria-label") for bar in bars.all()] == EMOTIONS
    shares = [int(bar.get_attribute("aria-valuenow") or -1) for bar in bars.all()]
    assert 96 <= sum(shares) <= 104  # each is rounded to a whole percent

    expect(page.get_by_test_id("frames-per-second")).to_have_text(re.compile(r"^[1-9]\d*(\.\d)?$"))
    expect(page.get_by_test_id("latency")).to_have_text(re.compile(r"^\d+ ms$"))
    expect(page.get_by_test_id("dropped")).to_have_text(re.compile(r"^\d+$"))


def test_box_lies_on_the_face_as_the_mirror_shows_it(page: Page, gateway: GatewayProcess, clip: Path) -> None:
    frame = cv2.imencode(".jpg", cv2.VideoCapture(str(clip)).read()[1])[1].tobytes()
    face = httpx.post(f"{gateway.url}/api/v1/analyze", content=frame).json()["faces"][0]["box"]

    start_camera(page, gateway.url)
    video, box = rectangle(page.locator(".stage video")), rectangle(page.locator(".face").first)

    assert (box["x"] - video["x"]) / video["width"] == pytest.approx(1 - face["x"] - face["width"], abs=0.05)
    assert (box["y"] - video["y"]) / video["height"] == pytest.approx(face["y"], abs=0.05)
    assert box["width"] / video["width"] == pytest.approx(face["width"], rel=0.15)
    assert "matrix(-1" in page.locator(".stage video").evaluate("video => getComputedStyle(video).transform")


def test_stop_releases_the_camera_and_forgets_the_result(page: Page, gateway: GatewayProcess) -> None:
    start_camera(page, gateway.url)
    page.evaluate("window.tracks = document.querySelector('video').srcObject.getTracks()")
    assert page.evaluate("window.tracks.map(track => track.readyState)") == ["live"]
    expect(page.get_by_text("Camera on")).to_be_visible()

    page.get_by_role("button", name="Stop camera").click()

    assert page.evaluate("window.tracks.map(track => track.readyState)") == ["ended"]
    assert page.evaluate("document.querySelector('video').srcObject") is None
    expect(page.get_by_text("Camera on")).to_be_hidden()
    expect(page.locator(".face")).to_have_count(0)
    expect(page.get_by_test_id("main-label")).to_have_text("–")
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")


def test_films_only_while_someone_looks(page: Page, gateway: GatewayProcess) -> None:
    start_camera(page, gateway.url)
    page.evaluate("window.tracks = document.querySelector('video').srcObject.getTracks()")

    set_hidden(page, hidden=True)
    assert page.evaluate("window.tracks.map(track => track.readyState)") == ["ended"]
    expect(page.locator(".face")).to_have_count(0)

    set_hidden(page, hidden=False)
    expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)


def test_works_by_keyboard(page: Page, gateway: GatewayProcess) -> None:
    page.goto(gateway.url)
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")
    for _ in range(2 + VIEWS):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Start camera")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start camera")).to_be_focused()


def test_respects_reduced_motion(browser: Browser, gateway: GatewayProcess) -> None:
    with open_context(browser, reduced_motion="reduce") as context:
        page = context.new_page()
        start_camera(page, gateway.url)
        bar = page.get_by_test_id("bars").get_by_role("meter").first
        assert bar.evaluate("bar => getComputedStyle(bar, '::before').transitionDuration") == "0s"


def test_talks_to_nobody_else_and_breaks_no_rule(page: Page, gateway: GatewayProcess) -> None:
    addresses: list[str] = []
    complaints: list[str] = []
    page.context.on("request", lambda request: addresses.append(request.url))
    page.on("websocket", lambda socket: addresses.append(socket.url))
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    start_camera(page, gateway.url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.get_by_role("button", name="Stop camera").click()
    page.reload()
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")

    assert complaints == []
    assert any(address.startswith("ws:") for address in addresses)
    foreign = [
        address for address in addresses if not re.match(rf"(http|ws)://localhost:{gateway.port}/", address)
    ]
    assert foreign == []


def rectangle(locator: Locator) -> dict[str, float]:
    """Position and size on the screen, once the element rests."""
    box = locator.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def set_hidden(page: Page, *, hidden: bool) -> None:
    """Tell the page that it went out of sight or came back; a headless page is always in sight."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_streaming_keeps_the_memory_flat(page: Page, gateway: GatewayProcess) -> None:
    """A short form of what `tests/tools/measure_page.py` measures over ten minutes."""
    results = 0

    def count(payload: str | bytes) -> None:
        nonlocal results
        results += isinstance(payload, str) and '"result"' in payload

    page.on("websocket", lambda socket: socket.on("framereceived", count))
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def used(after: int) -> dict[str, float]:
        while results < after:
            page.wait_for_timeout(200)
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in metrics}

    start_camera(page, gateway.url)
    before = used(after=40)
    later = used(after=160)
    assert later["JSHeapUsedSize"] - before["JSHeapUsedSize"] < 1e6  # a leaked frame has 20 kB, 120 came
    assert later["Nodes"] - before["Nodes"] < 50
    assert later["JSEventListeners"] - before["JSEventListeners"] < 10
