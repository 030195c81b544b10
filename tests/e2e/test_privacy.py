"""Privacy as people meet it: the notice, the lamp, demonstrations, deleting, and who is asked."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from .chromium import open_context
from .gateway_process import GatewayProcess
from .test_live import start_camera

pytestmark = pytest.mark.browser

WITHIN_MS = 30_000
REQUESTS = """
    window.cameraRequests = 0;
    const open = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = function (...wishes) {
        window.cameraRequests += 1;
        return open.apply(this, wishes);
    };
"""
STORE = """
    const { storeIn } = await import("/sessions/store.js");
    const store = storeIn(() => indexedDB);
"""
KEEP_SESSIONS = f"""async () => {{
    {STORE}
    const facts = {{
        name: "", note: "", startedAt: 0, durationMs: 0, labels: ["a", "b"],
        model: {{ name: "", version: "" }}, source: "import", moments: [],
    }};
    for (const _ of [1, 2]) await store.create(facts);
}}"""
KEPT = f"""async () => {{
    {STORE}
    return {{
        sessions: (await store.list()).length,
        settings: localStorage.length,
        caches: (await caches.keys()).length,
        workers: (await navigator.serviceWorker.getRegistrations()).length,
    }};
}}"""


def test_the_notice_comes_first_and_cannot_be_put_away(browser: Browser, gateway: GatewayProcess) -> None:
    with browser.new_context(viewport={"width": 320, "height": 568}) as context:
        context.add_init_script(REQUESTS)
        page = context.new_page()
        page.goto(f"{gateway.url}/#about")
        notice = page.get_by_role("dialog", name="Before you start")
        expect(notice).to_be_visible()
        for words in ("own gateway", "unless you record", "filmed", "education", "not a feeling"):
            expect(notice).to_contain_text(words)
        for _ in range(4):  # the second in a row closes a dialog whatever the page says to it
            page.keyboard.press("Escape")
        expect(notice).to_be_visible()
        assert page.evaluate("document.querySelector('#camera-button').click() ?? window.cameraRequests") == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 320

        notice.get_by_role("button", name="I understand and agree").click()
        expect(notice).to_be_hidden()
        expect(page.get_by_role("heading", name="About")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="About")).to_be_visible()
        expect(notice).to_be_hidden()


def test_a_new_notice_is_asked_again(page: Page, gateway: GatewayProcess) -> None:
    page.add_init_script("if (location.protocol !== 'about:') localStorage.setItem('fer.notice', '0')")
    page.goto(gateway.url)
    notice = page.get_by_role("dialog", name="Before you start")
    expect(notice).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(notice).to_be_hidden()
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")
    assert page.evaluate("localStorage.getItem('fer.notice')") != "0"


def test_the_lamp_is_seen_in_every_view_while_the_camera_runs(page: Page, gateway: GatewayProcess) -> None:
    start_camera(page, gateway.url)
    expect(page.locator(".top .lamp")).to_have_text(re.compile("Camera on"))
    expect(page.locator(".top .lamp")).to_be_visible()
    page.get_by_role("button", name="Full screen").click()
    expect(page.get_by_role("img", name="Camera on")).to_be_visible()
    page.get_by_role("button", name="Full screen").click()
    expect(page.get_by_role("img", name="Camera on")).to_be_hidden()
    page.locator("#record-button").click()
    for view in ("sessions", "files", "about", "live"):
        page.locator(f".views a[href='#{view}']").click()
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        expect(page.locator(".top .lamp-recording")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.querySelector('video').srcObject.getTracks()[0].readyState") == "live"

    page.locator("#record-button").click()
    expect(page.locator(".top .lamp-camera")).to_be_visible()
    page.locator(".views a[href='#about']").click()
    expect(page.locator(".top .lamp")).to_be_hidden()
    assert page.evaluate("document.querySelector('video').srcObject") is None  # as the lamp says


def test_a_demonstration_keeps_the_notice_on_the_screen(browser: Browser, gateway: GatewayProcess) -> None:
    with open_context(browser, viewport={"width": 390, "height": 844}, has_touch=True) as context:
        page = context.new_page()
        page.goto(f"{gateway.url}/?kiosk")
        notice = page.locator(".kiosk-notice .lamp-camera")
        expect(notice).to_be_visible()
        for hidden in (".views", ".gateway", ".controls", ".panel"):
            expect(page.locator(hidden).first).to_be_hidden()

        page.get_by_role("button", name="Tap to start the camera").tap()
        expect(page.locator(".face").first).to_be_visible(timeout=WITHIN_MS)
        expect(page.get_by_role("button", name="Tap to start the camera")).to_be_hidden()
        expect(page.locator(".top .lamp")).to_be_visible()
        expect(notice).to_be_visible()
        size = page.evaluate("[innerWidth, innerHeight]")
        stage = page.locator(".stage").bounding_box()
        assert stage is not None
        assert [stage["width"], stage["height"]] == size

        page.mouse.move(100, 100)
        page.mouse.down()
        page.mouse.up()
        expect(notice).to_be_visible()
        page.mouse.down()
        expect(page.locator(".views")).to_be_visible()
        page.mouse.up()
        expect(notice).to_be_hidden()
        assert "kiosk" not in page.url


def test_a_demonstration_is_started_in_about_and_left_with_escape(
    page: Page, gateway: GatewayProcess
) -> None:
    page.goto(f"{gateway.url}/#about")
    page.get_by_role("button", name="Start the demonstration").click()
    expect(page.get_by_role("button", name="Tap to start the camera")).to_be_focused()
    assert page.url.endswith("#live")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Start camera")).to_be_visible()
    expect(page.locator("#kiosk")).to_be_hidden()


def test_deletes_everything_and_says_what_that_was(browser: Browser, gateway: GatewayProcess) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{gateway.url}/#about")
        page.get_by_role("button", name="I understand and agree").click()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.evaluate(KEEP_SESSIONS)
        page.get_by_role("button", name="Delete everything…").click()
        dialog = page.get_by_role("dialog", name="Delete everything?")
        dialog.get_by_role("button", name="Keep it").click()
        assert page.evaluate(KEPT) == {"sessions": 2, "settings": 1, "caches": 1, "workers": 1}

        page.get_by_role("button", name="Delete everything…").click()
        dialog.get_by_role("button", name="Delete everything").click()
        expect(page.get_by_test_id("erased")).to_have_text(
            "Deleted: 2 sessions, 1 setting and the copy of this page."
        )
        assert page.evaluate(KEPT) == {"sessions": 0, "settings": 0, "caches": 0, "workers": 0}
        dialog.get_by_role("button", name="Start anew").click()
        expect(page.get_by_role("dialog", name="Before you start")).to_be_visible()


def test_no_view_asks_others_or_breaks_a_rule(browser: Browser, gateway: GatewayProcess) -> None:
    addresses: list[str] = []
    complaints: list[str] = []
    with browser.new_context() as context:
        context.add_init_script(
            "addEventListener('securitypolicyviolation', event => console.error(event.violatedDirective))"
        )
        page = context.new_page()
        context.on("request", lambda request: addresses.append(request.url))
        page.on("websocket", lambda socket: addresses.append(socket.url))
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))

        page.goto(gateway.url)
        page.get_by_role("button", name="I understand and agree").click()
        page.get_by_role("button", name="Start camera").click()
        expect(page.locator(".face").first).to_be_visible(timeout=WITHIN_MS)
        page.get_by_test_id("gateway").click()
        page.get_by_role("button", name="Close").click()
        for view in ("sessions", "files", "about"):
            page.locator(f".views a[href='#{view}']").click()
            expect(page.locator(f"#view-{view}")).to_be_visible()
        page.get_by_role("button", name="Delete everything…").click()
        page.get_by_role("button", name="Keep it").click()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.reload()
        expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")
        policy = "document.featurePolicy.allowsFeature"
        assert page.evaluate(f"['camera', 'fullscreen', 'screen-wake-lock'].every(name => {policy}(name))")
        assert not page.evaluate(
            f"['microphone', 'geolocation', 'usb', 'payment'].some(name => {policy}(name))"
        )

    assert complaints == []
    assert len(addresses) > 20
    ours = re.compile(rf"(http|ws|blob:http)://localhost:{gateway.port}/")
    assert [address for address in addresses if not ours.match(address)] == []
