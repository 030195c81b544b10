"""What people meet when something is missing: each case has its words and its way back."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .chromium import ALLOW_CAMERA, FAKE_CAMERA, fake_camera, open_context
from .conftest import Launch, MakeGateway
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

RECOVERS_WITHIN_MS = 30_000

UNPLUG = """
    // What a browser does when a device comes or goes; no argument of Chromium unplugs its fake camera.
    const [list, request] = [MediaDevices.prototype.enumerateDevices, MediaDevices.prototype.getUserMedia];
    const other = (label) => [{ kind: "videoinput", label, deviceId: label }];
    let found = null;
    MediaDevices.prototype.enumerateDevices = async function () {
        return found ?? list.call(this);
    };
    MediaDevices.prototype.getUserMedia = async function (wanted) {
        if (found?.length === 0) throw new DOMException("Requested device not found", "NotFoundError");
        return request.call(this, wanted);
    };
    window.unplug = () => {
        found = [];
        const tracks = document.querySelector("video")?.srcObject?.getTracks() ?? [];
        tracks.forEach((track) => track.dispatchEvent(new Event("ended")));
        navigator.mediaDevices?.dispatchEvent(new Event("devicechange"));
    };
    window.plugIn = (label) => {
        found = label ? other(label) : null;
        navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
    };
"""

TURN = """
    // The camera behind a canvas whose sides change places: a file has one size.
    const request = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = async function (wanted) {
        const source = document.createElement("video");
        source.srcObject = await request.call(this, wanted);
        await source.play();
        const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
        const draw = () => {
            canvas.getContext("2d").drawImage(source, (canvas.width - 640) / 2, (canvas.height - 480) / 2);
            requestAnimationFrame(draw);
        };
        draw();
        window.turn = () => Object.assign(canvas, { width: 360, height: 480 });
        return canvas.captureStream(30);
    };
"""


def press_start(page: Page, url: str) -> None:
    """Open the page and start its camera."""
    page.goto(url)
    page.get_by_role("button", name="Start camera").click()


def test_reconnects_without_a_reload(page: Page, make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    press_start(page, gateway.url)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    page.evaluate("window.untouched = true")

    gateway.stop()
    expect(page.get_by_test_id("gateway")).to_contain_text("Reconnecting", timeout=RECOVERS_WITHIN_MS)
    expect(page.get_by_test_id("notice")).to_contain_text("keeps trying by itself")
    expect(page.locator(".face")).to_have_count(0)
    expect(page.get_by_text("Camera on")).to_be_visible()

    gateway.start()
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    expect(page.get_by_test_id("gateway")).to_contain_text("Connected")
    assert page.evaluate("window.untouched") is True


def test_waits_for_a_place_when_the_gateway_is_busy(page: Page, make_gateway: MakeGateway) -> None:
    gateway = make_gateway(environment={"FER_MAX_STREAMS": "1"})
    press_start(page, gateway.url)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)

    second = page.context.new_page()
    press_start(second, gateway.url)
    expect(second.get_by_test_id("notice")).to_contain_text("The gateway is busy")

    page.close()
    expect(second.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)


def test_permission_denied(launch: Launch, clip: Path, gateway: GatewayProcess) -> None:
    arguments = [argument for argument in fake_camera(clip) if argument != ALLOW_CAMERA]
    page = open_context(launch(*arguments)).new_page()
    press_start(page, gateway.url)
    expect(page.get_by_test_id("notice")).to_contain_text("The camera is not allowed")
    expect(page.get_by_test_id("notice")).to_contain_text("site settings")

    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)


def test_no_camera(launch: Launch, gateway: GatewayProcess) -> None:
    page = open_context(launch(ALLOW_CAMERA, f"{FAKE_CAMERA}=device-count=0")).new_page()
    press_start(page, gateway.url)
    expect(page.get_by_test_id("notice")).to_contain_text("No camera was found")
    expect(page.get_by_role("button", name="Start camera")).to_be_enabled()


def test_camera_unplugged_while_it_runs(page: Page, gateway: GatewayProcess) -> None:
    page.add_init_script(UNPLUG)
    press_start(page, gateway.url)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)

    page.evaluate("unplug()")
    expect(page.get_by_test_id("notice")).to_contain_text("The camera went away")
    expect(page.get_by_test_id("notice")).to_contain_text("starts by itself")
    expect(page.locator(".face")).to_have_count(0)
    expect(page.get_by_role("button", name="Start camera")).to_be_enabled()
    page.evaluate("plugIn('another one')")  # which nobody asked for
    expect(page.get_by_test_id("notice")).to_contain_text("The camera went away")

    page.evaluate("plugIn()")
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)


def test_camera_taken_away_while_the_page_is_hidden(page: Page, gateway: GatewayProcess) -> None:
    page.add_init_script(UNPLUG)
    press_start(page, gateway.url)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    page.evaluate("unplug(); plugIn('another one')")
    expect(page.get_by_test_id("notice")).to_contain_text("The camera went away")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)


def test_a_phone_that_is_turned(page: Page, gateway: GatewayProcess) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.add_init_script(TURN)
    press_start(page, gateway.url)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    wide = page.locator(".stage").bounding_box()
    assert wide is not None

    page.evaluate("turn()")
    page.wait_for_function("() => document.querySelector('video').videoWidth === 360")
    page.wait_for_function(f"() => document.querySelector('.stage').offsetHeight > {wide['height']}")
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    page.wait_for_function(
        """() => {
            const [video, face] = ["video", ".face"].map((name) => (
                document.querySelector(name)?.getBoundingClientRect()
            ));
            if (!face) return false;
            const middle = (face.left + face.right - video.left - video.right) / 2;
            return Math.abs(middle) < 0.2 * video.width && face.top > video.top && face.bottom < video.bottom;
        }"""
    )


def test_camera_plugged_in_after_the_start(page: Page, gateway: GatewayProcess) -> None:
    page.add_init_script(f"{UNPLUG}; unplug()")
    press_start(page, gateway.url)
    expect(page.get_by_test_id("notice")).to_contain_text("No camera was found")
    page.evaluate("plugIn()")
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)


def test_camera_in_use_by_another_app(page: Page, gateway: GatewayProcess) -> None:
    page.add_init_script(
        """
        const request = MediaDevices.prototype.getUserMedia;
        window.busy = true;
        MediaDevices.prototype.getUserMedia = async function (wanted) {
            if (window.busy) throw new DOMException("Could not start video source", "NotReadableError");
            return request.call(this, wanted);
        };
        """
    )
    press_start(page, gateway.url)
    expect(page.get_by_test_id("notice")).to_contain_text("The camera is in use")
    expect(page.get_by_test_id("notice")).to_contain_text("Close it there")
    page.evaluate("window.busy = false")
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)


def test_opens_a_camera_again_that_gives_no_picture(page: Page, gateway: GatewayProcess) -> None:
    press_start(page, gateway.url)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    page.evaluate("window.tracks = document.querySelector('video').srcObject.getTracks()")
    page.evaluate("document.querySelector('video').pause()")  # as iPhones do after a call
    page.wait_for_function("() => window.tracks[0].readyState === 'ended'", timeout=RECOVERS_WITHIN_MS)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    expect(page.get_by_test_id("gateway")).to_contain_text("Connected")


def test_the_notice_of_a_lost_connection_stays_until_it_is_back(
    page: Page, make_gateway: MakeGateway
) -> None:
    gateway = make_gateway()
    press_start(page, gateway.url)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    gateway.stop()
    notice = page.get_by_test_id("notice")
    expect(notice).to_contain_text("keeps trying by itself", timeout=RECOVERS_WITHIN_MS)
    page.evaluate(
        """() => {
            window.blinks = 0;
            window.attempts = 0;
            const notice = document.querySelector(".notice");
            new MutationObserver(() => (window.blinks += notice.dataset.tone === "none"))
                .observe(notice, { attributes: true });
            const Socket = WebSocket;
            window.WebSocket = function (...given) {
                window.attempts += 1;
                return new Socket(...given);
            };
        }"""
    )
    page.wait_for_function("() => window.attempts >= 2", timeout=RECOVERS_WITHIN_MS)
    assert page.evaluate("window.blinks") == 0


def test_insecure_address_names_the_one_that_works(launch: Launch, make_gateway: MakeGateway) -> None:
    gateway = make_gateway(environment={"FER_ALLOWED_HOSTS": "fer-gateway.test"})
    browser = launch("--host-resolver-rules=MAP fer-gateway.test 127.0.0.1")
    page = open_context(browser, viewport={"width": 320, "height": 568}).new_page()
    page.goto(f"http://fer-gateway.test:{gateway.port}")

    expect(page.get_by_test_id("notice")).to_contain_text("This address cannot use the camera")
    expect(page.get_by_test_id("notice")).to_contain_text(f"http://localhost:{gateway.port}")
    expect(page.get_by_test_id("notice")).to_contain_text("HTTPS")
    expect(page.get_by_role("button", name="Start camera")).to_be_disabled()
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")
    notice, stage = page.get_by_test_id("notice").bounding_box(), page.locator(".stage").bounding_box()
    assert notice is not None
    assert stage is not None
    assert notice["width"] <= stage["width"]
    assert notice["height"] <= stage["height"]  # the longest notice is whole on the smallest screen
