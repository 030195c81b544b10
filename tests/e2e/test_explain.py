"""Pausing the live picture, and asking what the answer for a face rests on."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .chromium import open_context
from .conftest import MakeGateway
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

RESULT_WITHIN_MS = 20_000

PIXELS_OF = """async image => {
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
}"""


def pause(page: Page, url: str) -> None:
    """Open the page, start its camera, and freeze the first analysed frame or a later one."""
    page.goto(url)
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def pixels(page: Page, selector: str) -> list[int]:
    """Red, green, blue and alpha of each pixel of an image on the page."""
    values: list[int] = page.locator(selector).evaluate(PIXELS_OF)
    return values


def count_frames(page: Page) -> list[Any]:
    """A list that grows with each binary message the page sends."""
    frames: list[Any] = []
    page.on(
        "websocket",
        lambda socket: socket.on(
            "framesent", lambda payload: frames.append(payload) if isinstance(payload, bytes) else None
        ),
    )
    return frames


def test_shows_what_a_smile_rests_on(page: Page, gateway: GatewayProcess) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    pause(page, gateway.url)
    page.get_by_role("button", name=re.compile(r"^Explain face 1 happiness")).click()

    dialog = page.get_by_role("dialog", name="Why “happiness”?")
    expect(dialog).to_be_visible()
    words = page.get_by_test_id("explanation")
    expect(words).to_have_text(
        re.compile(
            r"^The model gives this face \d+% happiness\. "
            r"(.*lower.* falls to about \d+%|No single part decides it: .* speak for it most)\.$"
        ),
        timeout=RESULT_WITHIN_MS,
    )
    heat = page.get_by_test_id("heat-map")
    expect(heat).to_be_visible()
    colours = pixels(page, ".explanation-heat")
    alpha = colours[3::4]
    assert min(alpha) < 20  # some parts count, some do not
    assert max(alpha) > 150
    assert len({tuple(colours[start : start + 4]) for start in range(0, len(colours), 4)}) > 50
    face = pixels(page, ".explanation-picture img >> nth=0")[0::4]
    assert max(face) - min(face) > 60  # a picture, not a blank
    assert complaints == []


def test_a_pause_freezes_the_picture_and_sends_nothing(page: Page, gateway: GatewayProcess) -> None:
    frames = count_frames(page)
    pause(page, gateway.url)
    expect(page.get_by_role("img", name="Camera picture, paused")).to_be_visible()
    expect(page.get_by_test_id("notice")).to_contain_text("Choose a face to see what counts")
    expect(page.get_by_text("Camera on")).to_be_visible()
    label = page.locator(".face-label").first.text_content()
    box = page.locator(".face").first.bounding_box()
    page.wait_for_timeout(300)  # what was on its way has left
    sent = len(frames)
    assert sent > 0
    page.wait_for_timeout(1000)
    assert len(frames) == sent
    assert page.locator(".face-label").first.text_content() == label
    assert page.locator(".face").first.bounding_box() == box

    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".still")).to_be_hidden()
    page.wait_for_timeout(1000)
    assert len(frames) > sent
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()


def test_the_frozen_picture_lies_where_the_video_lay(page: Page, gateway: GatewayProcess) -> None:
    pause(page, gateway.url)
    assert page.locator(".still").bounding_box() == page.locator(".stage video").bounding_box()
    assert "matrix(-1" in page.locator(".still").evaluate("still => getComputedStyle(still).transform")
    page.set_viewport_size({"width": 420, "height": 740})
    video, box = page.locator(".stage video").bounding_box(), page.locator(".face").first.bounding_box()
    assert video is not None
    assert box is not None
    assert video["x"] <= box["x"]
    assert box["x"] + box["width"] <= video["x"] + video["width"]  # the boxes followed


def test_works_by_keyboard_alone(page: Page, gateway: GatewayProcess) -> None:
    page.goto(gateway.url)
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")
    page.get_by_role("button", name="Start camera").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_enabled(timeout=RESULT_WITHIN_MS)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    face = page.get_by_role("button", name=re.compile("^Explain face "))
    expect(face).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("explanation")).to_contain_text("happiness", timeout=RESULT_WITHIN_MS)
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#explanation")).to_be_hidden()
    expect(face).to_be_focused()
    assert page.locator("#explanation img").evaluate_all("images => images.some(image => image.src)") is False


def test_asks_why_while_the_picture_moves(page: Page, gateway: GatewayProcess) -> None:
    page.goto(gateway.url)
    expect(page.get_by_role("button", name="Why?")).to_be_hidden()
    page.get_by_role("button", name="Start camera").click()
    page.get_by_role("button", name="Why?").click(timeout=RESULT_WITHIN_MS)
    expect(page.get_by_test_id("explanation")).to_contain_text("The model gives", timeout=RESULT_WITHIN_MS)
    expect(page.locator(".still")).to_be_visible()  # what is explained stays on the screen
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_says_when_the_gateway_is_gone_and_goes_on_when_it_is_back(
    page: Page, make_gateway: MakeGateway
) -> None:
    gateway = make_gateway()
    pause(page, gateway.url)
    gateway.stop()
    expect(page.get_by_test_id("gateway")).to_contain_text("Reconnecting")
    face = page.get_by_role("button", name=re.compile("^Explain face "))
    expect(face).to_be_visible()  # the frozen frame stays
    face.click()
    expect(page.get_by_test_id("explanation")).to_contain_text("The gateway can't be reached")
    expect(page.get_by_test_id("heat-map")).to_be_hidden()
    page.get_by_role("button", name="Close").click()

    gateway.start()
    expect(page.get_by_test_id("gateway")).to_contain_text("Connected", timeout=RESULT_WITHIN_MS)
    face.click()
    expect(page.get_by_test_id("explanation")).to_contain_text("The model gives", timeout=RESULT_WITHIN_MS)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".still")).to_be_hidden()
    expect(page.get_by_role("button", name="Pause")).to_be_enabled(timeout=RESULT_WITHIN_MS)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {
                "status": 422,
                "json": {"title": "No face was found", "detail": "x", "status": 422, "code": "no_face_found"},
            },
            "did not find this face again",
        ),
        ({"status": 502, "body": "<html>"}, "made no sense"),
        ({"status": 200, "json": {"label": "happiness"}}, "made no sense"),
    ],
    ids=["no face", "a proxy's page", "not an explanation"],
)
def test_says_what_is_wrong_with_an_answer(
    page: Page, gateway: GatewayProcess, answer: dict[str, Any], words: str
) -> None:
    page.route("**/api/v1/explain*", lambda route: route.fulfill(**answer))
    pause(page, gateway.url)
    page.get_by_role("button", name=re.compile("^Explain face ")).click()
    expect(page.get_by_test_id("explanation")).to_contain_text(words)
    expect(page.get_by_test_id("heat-map")).to_be_hidden()


def test_stop_forgets_the_frozen_frame(page: Page, gateway: GatewayProcess) -> None:
    pause(page, gateway.url)
    page.get_by_role("button", name="Stop camera").click()
    expect(page.locator(".still")).to_be_hidden()
    assert page.locator(".still").get_attribute("src") is None
    expect(page.locator(".face")).to_have_count(0)
    expect(page.get_by_role("button", name="Resume")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size_px", [(320, 568), (360, 740), (1280, 800)], ids=["small", "phone", "desktop"])
def test_fits_every_screen(
    browser: Browser, gateway: GatewayProcess, size_px: tuple[int, int], theme: str
) -> None:
    width_px, height_px = size_px
    with open_context(
        browser,
        viewport={"width": width_px, "height": height_px},
        color_scheme="dark" if theme == "dark" else "light",
    ) as context:
        page = context.new_page()
        pause(page, gateway.url)
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px
        page.mouse.click(*centre_of(page))
        expect(page.get_by_test_id("explanation")).to_contain_text("model gives", timeout=RESULT_WITHIN_MS)
        dialog = page.locator("#explanation").bounding_box()
        assert dialog is not None
        assert dialog["x"] >= 0
        assert dialog["x"] + dialog["width"] <= width_px
        assert dialog["y"] + dialog["height"] <= height_px
        close = page.get_by_role("button", name="Close").bounding_box()
        assert close is not None
        assert close["y"] >= 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px


def centre_of(page: Page) -> tuple[float, float]:
    """The middle of the first face on the screen."""
    box = page.locator(".face").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
