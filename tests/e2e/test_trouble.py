"""What people meet when something is missing: each case has its words and its way back."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .chromium import ALLOW_CAMERA, FAKE_CAMERA, fake_camera
from .conftest import Launch, MakeGateway
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

RECOVERS_WITHIN_MS = 30_000


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
    expect(page.get_by_test_id("gateway")).to_contain_text("Reconnecting")
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
    page = launch(*arguments, f"{ALLOW_CAMERA}=deny").new_page()
    press_start(page, gateway.url)
    expect(page.get_by_test_id("notice")).to_contain_text("The camera is not allowed")
    expect(page.get_by_test_id("notice")).to_contain_text("site settings")
    expect(page.get_by_role("button", name="Start camera")).to_be_enabled()


def test_no_camera(launch: Launch, gateway: GatewayProcess) -> None:
    page = launch(ALLOW_CAMERA, f"{FAKE_CAMERA}=device-count=0").new_page()
    press_start(page, gateway.url)
    expect(page.get_by_test_id("notice")).to_contain_text("No camera was found")
    expect(page.get_by_role("button", name="Start camera")).to_be_enabled()


def test_camera_unplugged_while_it_runs(page: Page, gateway: GatewayProcess) -> None:
    press_start(page, gateway.url)
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)
    # What a browser does when a device disappears; no argument of Chromium unplugs its fake camera.
    page.evaluate(
        "document.querySelector('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))"
    )
    expect(page.get_by_test_id("notice")).to_contain_text("The camera went away")
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=RECOVERS_WITHIN_MS)


def test_insecure_address_names_the_one_that_works(launch: Launch, make_gateway: MakeGateway) -> None:
    gateway = make_gateway(environment={"FER_ALLOWED_HOSTS": "fer-gateway.test"})
    browser = launch("--host-resolver-rules=MAP fer-gateway.test 127.0.0.1")
    page = browser.new_page(viewport={"width": 320, "height": 568})
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
