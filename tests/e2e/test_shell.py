"""The page as an app: installable, opens offline, updates when told to, fits every screen."""

import shutil
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

import fer_gateway

from .conftest import MakeGateway
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "test-results" / "screenshots"
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
    assert {"/", "/app.js", "/styles/tokens.css", "/manifest.webmanifest", "/icons/icon-192.png"} <= set(kept)
    assert [path for path in kept if path.startswith(("/api/", "/docs"))] == []


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
    for icon in manifest["icons"]:
        assert httpx.get(f"{gateway.url}{icon['src']}").headers["content-type"] == icon["type"]


@pytest.mark.parametrize("width_px", [320, 360, 768, 1280])
def test_fits_without_scrolling_sideways(browser: Browser, gateway: GatewayProcess, width_px: int) -> None:
    with browser.new_context(viewport={"width": width_px, "height": 740}) as context:
        page = context.new_page()
        page.goto(gateway.url)
        page.get_by_role("button", name="Start camera").click()
        expect(page.locator(".face").first).to_be_visible(timeout=KEPT_WITHIN_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_screenshots(browser: Browser, gateway: GatewayProcess, screen: str, theme: str) -> None:
    width_px, height_px = SCREENS[screen]
    with browser.new_context(
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
