"""The camera in a browser: which one, how its frames are encoded, what is done with its picture."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from .chromium import ALLOW_CAMERA, FAKE_CAMERA, open_context
from .conftest import Launch
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

RESULT_WITHIN_MS = 20_000
RUNNING_WITHIN_MS = 20_000
FIRST_COLOUR_BGR = (0xD4, 0xEA, 0x5E)
"""As in `web/styles/tokens.css`."""

COUNT_ENCODED = """
    window.encoded = { page: 0, worker: 0, streams: 0 };
    const toBlob = HTMLCanvasElement.prototype.toBlob;
    HTMLCanvasElement.prototype.toBlob = function (...options) {
        window.encoded.page += 1;
        return toBlob.apply(this, options);
    };
    if (window.Worker) {
        const post = Worker.prototype.postMessage;
        Worker.prototype.postMessage = function (message, ...rest) {
            if (message.frames) window.encoded.streams += 1;
            else window.encoded.worker += 1;
            return post.call(this, message, ...rest);
        };
    }
"""


def start(page: Page, url: str) -> None:
    """Open the page, start its camera, wait for the first face."""
    page.goto(url)
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)


@pytest.mark.parametrize(
    ("missing", "streams", "worker"),
    [
        ("", True, True),
        ("delete window.MediaStreamTrackProcessor", False, True),
        ("delete window.MediaStreamTrackProcessor; delete window.VideoFrame", False, True),
        ("delete window.Worker", False, False),
    ],
    ids=["reads the track", "frames", "bitmaps", "no worker"],
)
def test_frames_are_encoded_off_the_main_thread_where_the_browser_can(
    page: Page, gateway: GatewayProcess, missing: str, streams: bool, worker: bool
) -> None:
    page.add_init_script(f"{missing};{COUNT_ENCODED}")
    start(page, gateway.url)
    name = "worker" if worker else "page"
    page.wait_for_function(f"() => window.encoded.{name} > 5")
    before = page.evaluate("window.encoded")
    page.wait_for_function(f"() => window.encoded.{name} > {before[name] + 5}")
    after = page.evaluate("window.encoded")
    assert after["streams"] == (1 if streams else 0)
    if worker:
        assert after["page"] == before["page"]  # all of it happens there
        assert [Path(found.url).name for found in page.workers] == ["encoder-worker.js"]
        page.get_by_role("button", name="Stop camera").click()
        expect(page.get_by_role("button", name="Start camera")).to_be_visible()
        page.wait_for_function("() => document.querySelector('video').srcObject === null")
        assert page.workers == []


def test_frames_shrink_for_a_slow_gateway_and_faces_stay_who_they_are(
    page: Page, gateway: GatewayProcess
) -> None:
    page.add_init_script(
        """
        window.results = [];
        window.delayMs = 0;
        const set = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage").set;
        Object.defineProperty(WebSocket.prototype, "onmessage", {
            set(handler) {
                set.call(this, (event) => setTimeout(() => {
                    const message = JSON.parse(event.data);
                    if (message.type === "result") window.results.push(message);
                    handler(event);
                }, window.delayMs));
            },
        });
        """
    )
    start(page, gateway.url)
    number = page.locator(".face").first.locator(".face-number")
    before = number.text_content()
    page.locator(".face").first.click()
    expect(page.locator(".main-name")).to_have_text("Chosen face")

    page.evaluate("window.delayMs = 400")
    page.wait_for_function(
        "() => window.results.at(-1).width < 480 && window.results.at(-1).faces.length > 0"
    )
    first, last = page.evaluate(
        "[window.results.find((result) => result.faces.length > 0), window.results.at(-1)]"
    )
    assert last["faces"][0]["id"] != first["faces"][0]["id"]  # the gateway counts anew
    assert number.text_content() == before
    expect(page.locator(".main-name")).to_have_text("Chosen face")


def test_a_chosen_camera_is_remembered(launch: Launch, gateway: GatewayProcess) -> None:
    with open_context(launch(ALLOW_CAMERA, f"{FAKE_CAMERA}=device-count=2")) as context:
        page = context.new_page()
        page.goto(gateway.url)
        choice = page.get_by_role("combobox", name="Camera")
        expect(choice).to_be_hidden()
        page.get_by_role("button", name="Start camera").click()
        expect(choice).to_be_visible(timeout=RUNNING_WITHIN_MS)
        labels = choice.get_by_role("option").all_inner_texts()
        assert labels == ["fake_device_0", "fake_device_1"]
        expect(page.get_by_role("button", name="Flip")).to_be_hidden()  # these cameras look nowhere
        assert track_label(page) == labels[0]

        choice.select_option(labels[1])
        page.wait_for_function(f"() => ({TRACK_LABEL})() === '{labels[1]}'")
        expect(page.get_by_test_id("gateway")).to_contain_text("Connected", timeout=RUNNING_WITHIN_MS)

        page.reload()
        page.get_by_role("button", name="Start camera").click()
        page.wait_for_function(f"() => ({TRACK_LABEL})() === '{labels[1]}'")
        expect(choice).to_have_value(page.evaluate("localStorage.getItem('fer.camera')"))

        page.evaluate("localStorage.setItem('fer.camera', 'an id of before the site data was cleared')")
        page.reload()
        page.get_by_role("button", name="Start camera").click()
        page.wait_for_function(f"() => ({TRACK_LABEL})() === '{labels[1]}'")  # found again by its name


def test_flips_between_front_and_back(page: Page, gateway: GatewayProcess) -> None:
    page.add_init_script(
        """
        const settings = MediaStreamTrack.prototype.getSettings;
        const request = MediaDevices.prototype.getUserMedia;
        let facing = "";
        MediaDevices.prototype.getUserMedia = function (wanted) {
            facing = wanted.video.facingMode;
            return request.call(this, wanted);
        };
        MediaStreamTrack.prototype.getSettings = function () {
            return { ...settings.call(this), facingMode: facing };
        };
        MediaDevices.prototype.enumerateDevices = async () => ["front", "back"].map((label) => (
            { kind: "videoinput", label, deviceId: label }
        ));
        """  # as a phone: no argument gives Chromium's fake cameras a side
    )
    start(page, gateway.url)
    page.evaluate("window.untouched = document.querySelector('video').srcObject.getTracks()[0]")
    mirror = page.get_by_role("button", name="Mirror")
    expect(mirror).to_have_attribute("aria-pressed", "true")

    page.get_by_role("button", name="Flip").click()
    expect(mirror).to_have_attribute("aria-pressed", "false")  # what a rear camera sees is no mirror image
    expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)
    assert page.evaluate("window.untouched.readyState") == "ended"
    expect(page.get_by_test_id("gateway")).to_contain_text("Connected")

    page.get_by_role("button", name="Flip").click()
    expect(mirror).to_have_attribute("aria-pressed", "true")


def test_mirroring_is_a_choice_that_stays(page: Page, gateway: GatewayProcess) -> None:
    start(page, gateway.url)
    mirror, video = page.get_by_role("button", name="Mirror"), page.locator(".stage video")
    expect(mirror).to_have_attribute("aria-pressed", "true")
    before = page.locator(".face").first.bounding_box()
    mirror.click()
    expect(mirror).to_have_attribute("aria-pressed", "false")
    assert video.evaluate("video => getComputedStyle(video).transform") == "none"
    after, stage = page.locator(".face").first.bounding_box(), video.bounding_box()
    assert before is not None
    assert after is not None
    assert stage is not None
    middle = stage["x"] + stage["width"] / 2
    centres = [box["x"] + box["width"] / 2 - middle for box in (before, after)]
    assert centres[0] == pytest.approx(-centres[1], abs=0.05 * stage["width"])  # the box went along

    page.reload()
    start(page, gateway.url)
    expect(mirror).to_have_attribute("aria-pressed", "false")
    assert video.evaluate("video => getComputedStyle(video).transform") == "none"


def test_saves_the_picture_of_the_moment(page: Page, gateway: GatewayProcess, tmp_path: Path) -> None:
    start(page, gateway.url)
    page.get_by_role("button", name="Pause").click()
    video, box = page.locator(".stage video").bounding_box(), page.locator(".face").first.bounding_box()
    assert video is not None
    assert box is not None
    with page.expect_download() as download:
        page.get_by_role("button", name="Save picture").click()
    assert re.fullmatch(r"fer-gateway-\d{4}(-\d\d){5}\.png", download.value.suggested_filename)
    download.value.save_as(tmp_path / "moment.png")

    picture = cv2.imread(str(tmp_path / "moment.png"))
    assert picture is not None
    height, width, _ = picture.shape
    assert width >= 960
    line = (
        np.abs(picture.astype(int) - (0xD4, 0xEA, 0x5E)).sum(axis=2) < 12
    )  # the first colour, as blue, green, red
    columns = np.flatnonzero(line.sum(axis=0) > 0.2 * height)
    left = (box["x"] - video["x"]) / video["width"] * width
    assert columns.min() == pytest.approx(left, abs=0.02 * width)  # mirrored as on the screen
    assert columns.max() - columns.min() == pytest.approx(box["width"] / video["width"] * width, rel=0.05)


def test_fills_the_screen(page: Page, gateway: GatewayProcess) -> None:
    start(page, gateway.url)
    full = page.get_by_role("button", name="Full screen")
    full.click()
    page.wait_for_function("() => document.fullscreenElement?.classList.contains('camera')")
    expect(full).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Stop camera")).to_be_visible()  # a way out of everything
    expect(page.locator(".face").first).to_be_visible()
    full.click()
    page.wait_for_function("() => document.fullscreenElement === null")
    expect(full).to_have_attribute("aria-pressed", "false")


def test_keeps_the_screen_awake_while_the_camera_runs(page: Page, gateway: GatewayProcess) -> None:
    page.add_init_script(
        """
        window.locks = [];
        const request = WakeLock.prototype.request;
        WakeLock.prototype.request = async function (kind) {
            const lock = await request.call(this, kind);
            window.locks.push(lock);
            return lock;
        };
        """
    )
    start(page, gateway.url)
    page.wait_for_function("() => window.locks.length === 1 && !window.locks[0].released")
    page.evaluate("window.locks[0].release()")  # as the browser does when the page is hidden
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("() => window.locks.length === 2 && !window.locks[1].released")
    page.get_by_role("button", name="Stop camera").click()
    page.wait_for_function("() => window.locks.every((lock) => lock.released)")


def test_plays_inline_and_silent_as_iphones_demand(page: Page, gateway: GatewayProcess) -> None:
    page.goto(gateway.url)
    assert page.locator(".stage video").evaluate("video => [video.playsInline, video.muted]") == [True, True]


def test_another_view_stops_the_camera(page: Page, gateway: GatewayProcess) -> None:
    start(page, gateway.url)
    page.evaluate("window.tracks = document.querySelector('video').srcObject.getTracks()")
    page.get_by_role("link", name="Files").click()
    page.wait_for_function("() => window.tracks.every((track) => track.readyState === 'ended')")
    page.get_by_role("link", name="Live").click()
    expect(page.locator(".face").first).to_be_visible(timeout=RESULT_WITHIN_MS)


def test_a_recording_keeps_the_camera_on_in_other_views(page: Page, gateway: GatewayProcess) -> None:
    start(page, gateway.url)
    page.evaluate("window.tracks = document.querySelector('video').srcObject.getTracks()")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_test_id("recording-time")).to_have_text(re.compile(r"\d"))
    page.get_by_role("link", name="Sessions").click()
    before = page.get_by_test_id("latency").text_content()
    page.wait_for_function(
        f"() => document.querySelector('[data-testid=latency]').textContent !== '{before}'"
    )
    assert page.evaluate("window.tracks.map((track) => track.readyState)") == ["live"]
    page.get_by_role("link", name="Live").click()
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_role("link", name="Sessions").click()
    page.wait_for_function("() => window.tracks[0].readyState === 'ended'")


TRACK_LABEL = "() => document.querySelector('video').srcObject?.getVideoTracks()[0].label"


def track_label(page: Page) -> str:
    """The name of the camera that is open."""
    label: str = page.evaluate(TRACK_LABEL)
    return label
