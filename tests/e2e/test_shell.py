"""The page as an app: installable, opens offline, updates when told to, fits every screen."""

import shutil
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

import fer_gateway

from .chromium import open_context
from .conftest import MakeGateway
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "test-results" / "screenshots"
VIEWS = ("live", "sessions", "files", "about")
SCREENS = {"phone": (390, 844), "desktop": (1280, 800)}
KEPT_WITHIN_MS = 20_000


def wait_for_service_worker(page: Page) -> None:
    """Wait until the page's files are kept."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def test_opens_offline_and_says_so(page: Page, make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    page.goto(gateway.url)
    wait_for_service_worker(page)

    gateway.stop()
    page.reload()
    expect(page.get_by_role("heading", name="fer-gateway")).to_be_visible()
    expect(page.get_by_test_id("notice")).to_contain_text("The gateway can't be reached")
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway unreachable")
    expect(page.locator(".away")).to_contain_text("Without the gateway you can still look at your sessions")
    background = page.evaluate("getComputedStyle(document.querySelector('.stage')).backgroundColor")
    assert background == "rgb(20, 32, 29)"  # the style sheets came from the cache too

    gateway.start()
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready", timeout=KEPT_WITHIN_MS)
    expect(page.get_by_test_id("bars").get_by_role("meter")).to_have_count(8)


def test_never_keeps_answers_of_the_api(page: Page, gateway: GatewayProcess) -> None:
    page.goto(gateway.url)
    wait_for_service_worker(page)
    page.reload()
    expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")
    kept = page.evaluate(
        """async () => {
            const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
            const requests = await Promise.all(caches_.map((cache) => cache.keys()));
            return requests.flat().map((request) => new URL(request.url).pathname);
        }"""
    )
    assert "/language/en.json" in kept
    assert {"/", "/app.js", "/styles/tokens.css", "/manifest.webmanifest", "/icons/icon-192.png"} <= set(kept)
    assert [path for path in kept if path.startswith(("/api/", "/docs", "/screenshots/"))] == []


def test_an_update_waits_until_it_is_wanted(page: Page, make_gateway: MakeGateway, tmp_path: Path) -> None:
    package = tmp_path / "fer_gateway"
    shutil.copytree(Path(fer_gateway.__file__).parent, package)
    shutil.copytree(ROOT / "web", package / "web", dirs_exist_ok=True)
    gateway = make_gateway(folder=tmp_path)
    page.goto(gateway.url)
    wait_for_service_worker(page)
    page.reload()  # from now on the service worker answers
    expect(page.get_by_role("button", name="Update ready")).to_be_hidden()

    gateway.stop()
    index = package / "web" / "index.html"
    index.write_text(
        index.read_text(encoding="utf-8").replace("<title>fer-gateway", "<title>New"), encoding="utf-8"
    )
    gateway.start()
    page.reload()
    expect(page.get_by_role("button", name="Update ready")).to_be_visible(timeout=KEPT_WITHIN_MS)
    assert page.title() == "fer-gateway"

    page.get_by_role("button", name="Update ready").click()
    expect(page).to_have_title("New", timeout=KEPT_WITHIN_MS)
    expect(page.get_by_role("button", name="Update ready")).to_be_hidden()


def test_is_installable(page: Page, gateway: GatewayProcess) -> None:
    page.goto(gateway.url)
    wait_for_service_worker(page)
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getAppManifest")
    assert found["errors"] == []
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in errors] == ["in-incognito"]  # as every context of a test is

    manifest = httpx.get(found["url"]).json()
    assert {"standalone"} == {manifest["display"]}
    purposes = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
    assert {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")} <= purposes
    pictures = [*manifest["icons"], *manifest["screenshots"]]
    pictures += [icon for shortcut in manifest["shortcuts"] for icon in shortcut["icons"]]
    for picture in pictures:
        answer = httpx.get(f"{gateway.url}{picture['src']}")
        assert answer.headers["content-type"] == picture["type"]
        if picture["sizes"] != "any":
            image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
            assert image is not None
            assert picture["sizes"] == f"{image.shape[1]}x{image.shape[0]}"
    assert {"narrow", "wide"} == {screenshot["form_factor"] for screenshot in manifest["screenshots"]}
    for shortcut in manifest["shortcuts"]:
        page.goto(f"{gateway.url}{shortcut['url']}")
        link = page.get_by_role("navigation").get_by_role("link", name=shortcut["name"])
        expect(link).to_have_attribute("aria-current", "page")


def test_offers_to_install_in_the_way_of_the_browser(browser: Browser, gateway: GatewayProcess) -> None:
    """Browsers under test offer no installation: what they say is played to the page."""
    with open_context(browser) as context:
        page = context.new_page()
        page.goto(f"{gateway.url}/#about")
        install = page.get_by_role("button", name="Install the app")
        expect(page.locator("body > [inert]")).to_have_count(0)  # the page listens
        expect(page.locator("#install")).to_contain_text("browser's menu")
        expect(install).to_be_hidden()
        page.evaluate(
            """() => {
                window.asked = 0;
                const offer = new Event("beforeinstallprompt", { cancelable: true });
                dispatchEvent(Object.assign(offer, { prompt: async () => (window.asked += 1) }));
            }"""
        )
        install.click()
        assert page.evaluate("window.asked") == 1
        page.evaluate("dispatchEvent(new Event('appinstalled'))")
        expect(page.get_by_text("It is installed.")).to_be_visible()
        expect(install).to_be_hidden()

        phone = context.new_page()
        phone.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'standalone', { get: () => false })"
        )
        phone.goto(f"{gateway.url}/#about")
        expect(phone.get_by_text("Add to Home Screen")).to_be_visible()


@pytest.mark.parametrize("width_px", [320, 360, 768, 1280])
def test_fits_without_scrolling_sideways(browser: Browser, gateway: GatewayProcess, width_px: int) -> None:
    with open_context(browser, viewport={"width": width_px, "height": 740}) as context:
        page = context.new_page()
        page.goto(gateway.url)
        page.get_by_role("button", name="Start camera").click()
        expect(page.locator(".face").first).to_be_visible(timeout=KEPT_WITHIN_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px


def test_every_view_and_dialog_fits_the_smallest_screen(browser: Browser, gateway: GatewayProcess) -> None:
    with browser.new_context(viewport={"width": 320, "height": 568}) as context:
        page = context.new_page()

        def too_wide_px() -> int:
            wide: int = page.evaluate(
                "Math.max(...[document.documentElement, ...document.querySelectorAll('dialog[open]')]"
                ".map(element => element.scrollWidth - element.clientWidth))"
            )
            return wide

        page.goto(gateway.url)
        assert too_wide_px() == 0
        page.get_by_role("button", name="I understand and agree").click()
        page.get_by_test_id("gateway").click()
        expect(page.locator("#status .card-scores tbody tr").first).to_be_visible()
        assert too_wide_px() == 0
        page.keyboard.press("Escape")
        for view in VIEWS:
            page.locator(f".views a[href='#{view}']").click()
            expect(page.locator(f"#view-{view}")).to_be_visible()
            assert too_wide_px() == 0, view
        page.get_by_role("button", name="Delete everything…").click()
        assert too_wide_px() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_screenshots(browser: Browser, gateway: GatewayProcess, screen: str, theme: str) -> None:
    width_px, height_px = SCREENS[screen]
    with open_context(
        browser,
        viewport={"width": width_px, "height": height_px},
        color_scheme="dark" if theme == "dark" else "light",
        device_scale_factor=2 if screen == "phone" else 1,
    ) as context:
        page = context.new_page()
        page.goto(gateway.url)
        expect(page.get_by_test_id("gateway")).to_contain_text("Gateway ready")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"{screen}-{theme}-idle.png")

        page.get_by_role("button", name="Start camera").click()
        expect(page.get_by_test_id("latency")).to_contain_text("ms", timeout=KEPT_WITHIN_MS)
        page.screenshot(path=SCREENSHOTS / f"{screen}-{theme}-running.png")
        scheme = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert scheme == ("rgb(15, 20, 19)" if theme == "dark" else "rgb(244, 246, 243)")
        for view in VIEWS[1:]:
            page.locator(f".views a[href='#{view}']").click()
            expect(page.locator(f"#view-{view}")).to_be_visible()
            page.screenshot(path=SCREENSHOTS / f"{screen}-{theme}-{view}.png")
