"""Several faces in one picture: told apart by number and colour, one chosen, its last minute drawn."""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from .chromium import fake_camera, open_context
from .conftest import start
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

RESULT_WITHIN_MS = 20_000

INK = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 3; at < data.length; at += 4) count += data[at] > 0;
    return count;
}"""


@pytest.fixture(scope="module")
def two_faces(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture with the face of the clip twice, the left one larger."""
    frame = cv2.VideoCapture(str(clip)).read()[1]
    assert frame is not None
    small = cv2.resize(frame[60:420, 140:460], (240, 270))
    right = cv2.copyMakeBorder(small, 105, 105, 20, 20, cv2.BORDER_REPLICATE)
    left = cv2.resize(frame[0:480, 120:480], (360, 480))
    path = tmp_path_factory.mktemp("camera") / "two.mjpeg"
    picture = cv2.imencode(".jpg", np.hstack([left, right]), [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
    path.write_bytes(30 * picture)
    return path


@pytest.fixture(scope="module")
def crowd_browser(playwright: Playwright, chromium: Path, two_faces: Path) -> Iterator[Browser]:
    """Chromium whose camera sees two faces."""
    browser = start(playwright, chromium, fake_camera(two_faces))
    yield browser
    browser.close()


@pytest.fixture
def crowd(crowd_browser: Browser, gateway: GatewayProcess) -> Iterator[Page]:
    """The live view with two faces in it."""
    with open_context(crowd_browser, viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(gateway.url)
        page.get_by_role("button", name="Start camera").click()
        expect(page.locator(".face")).to_have_count(2, timeout=RESULT_WITHIN_MS)
        yield page


def test_a_tap_chooses_a_face(crowd: Page) -> None:
    faces = crowd.locator(".face")
    numbers = [face.locator(".face-number").inner_text() for face in faces.all()]
    assert len(set(numbers)) == 2
    colours = {face.evaluate("face => getComputedStyle(face).borderTopColor") for face in faces.all()}
    assert len(colours) == 2
    expect(crowd.locator(".main-name")).to_have_text("Main face")
    largest = crowd.get_by_test_id("main-number").inner_text()
    other = next(number for number in numbers if number != largest)
    button = crowd.get_by_role("button", name=f"Choose face {other}")
    expect(button).to_have_attribute("aria-pressed", "false")

    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(crowd.get_by_test_id("main-number")).to_have_text(other)
    expect(crowd.locator(".main-name")).to_have_text("Chosen face")
    expect(crowd.locator("#explanation")).to_be_hidden()

    crowd.get_by_role("button", name="Pause").click()
    expect(crowd.get_by_test_id("main-number")).to_have_text(other)
    crowd.get_by_role("button", name="Why?").click()
    expect(crowd.get_by_test_id("explanation")).to_contain_text("The model gives", timeout=RESULT_WITHIN_MS)
    crowd.get_by_role("button", name="Close").click()
    crowd.get_by_role("button", name=f"Explain face {largest}").click()
    expect(crowd.get_by_test_id("explanation")).to_contain_text("The model gives", timeout=RESULT_WITHIN_MS)
    expect(crowd.get_by_test_id("main-number")).to_have_text(largest)


def test_keys_choose_a_face_and_keep_the_focus(crowd: Page) -> None:
    largest = crowd.get_by_test_id("main-number").inner_text()
    button = crowd.get_by_role("button", name=re.compile("^Choose face")).filter(
        has_not=crowd.get_by_text(largest, exact=True)
    )
    button.focus()
    crowd.keyboard.press("Enter")
    expect(crowd.locator(".main-name")).to_have_text("Chosen face")
    expect(button).to_be_focused()
    crowd.keyboard.press("Enter")
    expect(crowd.locator(".main-name")).to_have_text("Main face")
    expect(crowd.get_by_test_id("main-number")).to_have_text(largest)


def test_the_last_minute_is_drawn_and_forgotten(page: Page, gateway: GatewayProcess) -> None:
    page.goto(gateway.url)
    canvas = page.get_by_role("img", name="Emotions of this face in the last minute")
    expect(canvas).to_be_visible()
    assert canvas.evaluate(INK) == 0
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)
    page.wait_for_function(f"() => ({INK})(document.querySelector('.trace canvas')) > 100")

    first = canvas.evaluate(INK)
    page.wait_for_function(f"() => ({INK})(document.querySelector('.trace canvas')) > {first}")  # it moves on
    marks = page.get_by_test_id("bars").locator(".bar-mark").all_inner_texts()
    assert len(set(marks)) == len(marks) == 8  # the lines differ by more than their colour

    page.get_by_role("button", name="Stop camera").click()
    page.wait_for_function(f"() => ({INK})(document.querySelector('.trace canvas')) === 0")


def test_less_motion_still_shows_the_last_minute(browser: Browser, gateway: GatewayProcess) -> None:
    with open_context(browser, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(gateway.url)
        page.get_by_role("button", name="Start camera").click()
        expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)
        page.wait_for_function(f"() => ({INK})(document.querySelector('.trace canvas')) > 0")
