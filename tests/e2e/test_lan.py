"""The local network in a real Chromium: what works once the authority is trusted, and what tells before."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from fer_gateway.lan.devices import DEFAULT_SCOPES, SCOPES, DeviceFile

from .chromium import QUIET, fake_camera, open_context
from .conftest import MakeGateway
from .test_access import violations
from .trust_store import trusting_home

pytestmark = pytest.mark.browser

NAME = "fer-gateway.local"
MAPPED = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
PATIENCE_MS = 90_000


@dataclass(frozen=True)
class LanGateway:
    """`fer-gateway serve --lan` on loopback."""

    port: int
    trust_port: int
    data: Path
    authority: Path
    """The certificate, as the page about trust gives it out."""

    @property
    def https(self) -> str:
        return f"https://{NAME}:{self.port}"

    @property
    def http(self) -> str:
        return f"http://{NAME}:{self.trust_port}"

    @property
    def devices(self) -> DeviceFile:
        return DeviceFile(self.data / "devices.json")


@pytest.fixture(scope="module")
def lan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanGateway]:
    data = tmp_path_factory.mktemp("lan")
    options = ["--lan", "--host", "127.0.0.1", "--port", "0", "--trust-port", "0", "--data", str(data)]
    command = [sys.executable, "-m", "fer_gateway", "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while not lines or "Stop" not in lines[-1]:
                lines.append(process.stdout.readline())
                assert lines[-1], "the gateway ended"
            port = int(lines[0].rsplit(":", 1)[1])
            trust = next(line for line in lines if "Trust" in line).split()[1]
            authority = data / "ca.crt"
            authority.write_bytes(httpx.get(f"{trust}/ca.crt", timeout=60).content)
            yield LanGateway(port, int(trust.rsplit(":", 1)[1]), data, authority)
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="module")
def trusting(
    playwright: Playwright,
    chromium: Path,
    clip: Path,
    lan: LanGateway,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Browser]:
    """Chromium with a camera, in whose trust store the authority lies."""
    environment = trusting_home(tmp_path_factory.mktemp("home"), lan.authority)
    arguments = [*QUIET, *fake_camera(clip), MAPPED]
    browser = playwright.chromium.launch(executable_path=chromium, args=arguments, env=environment)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def doubting(
    playwright: Playwright, chromium: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """Chromium that has never heard of the authority."""
    environment = trusting_home(tmp_path_factory.mktemp("home"))
    browser = playwright.chromium.launch(executable_path=chromium, args=[*QUIET, MAPPED], env=environment)
    yield browser
    browser.close()


@pytest.fixture
def context(trusting: Browser) -> Iterator[BrowserContext]:
    with open_context(trusting) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def pair(page: Page, lan: LanGateway) -> None:
    """Open what a pairing QR code holds."""
    code = lan.devices.open_pairing(DEFAULT_SCOPES, 1)[1]
    page.goto(f"{lan.https}/pair#{code}")
    expect(page.get_by_role("status")).to_contain_text("Paired as", timeout=PATIENCE_MS)


def test_trusted_paired_and_filming(page: Page, lan: LanGateway) -> None:
    """The whole way: secure context, token, service worker, camera, answers."""
    pair(page, lan)
    assert page.url == f"{lan.https}/pair", "the code has left the address bar"
    assert page.evaluate("localStorage.getItem('fer.token')").startswith("fer_")
    page.get_by_role("link", name="Open fer-gateway").click()
    page.wait_for_url(f"{lan.https}/")
    assert page.evaluate("isSecureContext") is True
    worker = page.evaluate("navigator.serviceWorker.ready.then(({ active }) => active.scriptURL)")
    assert worker == f"{lan.https}/service-worker.js"
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=PATIENCE_MS)


def test_without_a_token_the_page_says_how_to_pair(page: Page, lan: LanGateway) -> None:
    page.goto(f"{lan.https}/")
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator("body")).to_contain_text("/pair", timeout=PATIENCE_MS)


def test_a_stream_without_a_token_is_refused(page: Page, lan: LanGateway) -> None:
    page.goto(f"{lan.https}/pair")
    ended = page.evaluate(
        """(url) => new Promise((resolve) => {
            const socket = new WebSocket(url, "fer.v1");
            let problem;
            socket.onopen = () => socket.send(JSON.stringify({ type: "hello", options: {} }));
            socket.onmessage = ({ data }) => { problem = JSON.parse(data).problem; };
            socket.onclose = ({ code }) => resolve([problem?.code, code]);
        })""",
        f"wss://{NAME}:{lan.port}/api/v1/stream",
    )
    assert ended == ["token_required", 1008]


def test_a_wrong_code_is_told(page: Page, lan: LanGateway) -> None:
    page.goto(f"{lan.https}/pair")
    page.get_by_label("Code").fill("0000-0000-0000")
    page.get_by_label("Name of this device").fill("Test")
    page.get_by_role("button", name="Pair").click()
    expect(page.get_by_role("status")).to_contain_text("wrong, used or too old", timeout=PATIENCE_MS)
    assert page.evaluate("localStorage.getItem('fer.token')") is None


def test_devices_are_listed_paired_and_revoked(page: Page, lan: LanGateway) -> None:
    page.goto(f"{lan.https}/devices")
    expect(page.get_by_text("--admin")).to_be_visible(timeout=PATIENCE_MS)
    device, _ = lan.devices.add("Old phone", ("stream",), 1)
    admin = lan.devices.add("This computer", SCOPES, 1)[1]
    page.evaluate("(token) => localStorage.setItem('fer.token', token)", admin)
    page.reload()
    row = page.get_by_role("row").filter(has_text="Old phone")
    expect(row).to_contain_text(device.id, timeout=PATIENCE_MS)
    page.on("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button").click()
    expect(row).to_have_count(0, timeout=PATIENCE_MS)
    assert "Old phone" not in [known.name for known in lan.devices.list()]
    page.get_by_role("button", name="Make a code").click()
    expect(page.get_by_alt_text("QR code")).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate("document.querySelector('#qr').naturalWidth") > 100
    code = page.locator("#plain").inner_text()
    seen = cv2.imdecode(np.frombuffer(page.locator("#qr").screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert seen is not None
    assert cv2.QRCodeDetector().detectAndDecode(seen)[0] == f"{lan.https}/pair#{code}"
    assert lan.devices.pair(code, "New phone")[0].scopes == DEFAULT_SCOPES


def test_the_page_about_trust_sees_it(page: Page, lan: LanGateway) -> None:
    page.goto(lan.http)
    expect(page.get_by_role("status")).to_have_text("This device trusts the gateway.", timeout=PATIENCE_MS)
    page.get_by_role("link", name="Open fer-gateway").click()
    page.wait_for_url(f"{lan.https}/")


def test_without_trust_the_page_explains(doubting: Browser, lan: LanGateway) -> None:
    with doubting.new_context(accept_downloads=True) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(lan.http)
        told = page.get_by_role("status")
        expect(told).to_contain_text("does not trust the gateway yet", timeout=PATIENCE_MS)
        expect(page.get_by_role("link", name="Open fer-gateway")).to_be_hidden()
        assert page.evaluate("isSecureContext") is False
        expect(page.get_by_text("the camera cannot work here")).to_be_visible()
        linux = page.locator("details[data-platform=linux]")
        expect(linux).to_have_attribute("open", "")
        for platform in ("android", "ios", "windows", "macos", "firefox"):
            steps = page.locator(f"details[data-platform={platform}]")
            steps.locator("summary").click()
            expect(steps.get_by_role("listitem").first).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "fer-gateway-ca.crt"
        assert Path(download.value.path()).read_bytes() == lan.authority.read_bytes()


def test_the_browser_shuts_out_what_it_does_not_trust(doubting: Browser, lan: LanGateway) -> None:
    """That the other tests rest on trust, and not on a browser that looks away."""
    with doubting.new_context() as context, pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
        context.new_page().goto(f"{lan.https}/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["trust", "pair", "devices"])
def test_pages_fit_a_small_phone(trusting: Browser, lan: LanGateway, where: str, scheme: str) -> None:
    address = lan.http if where == "trust" else f"{lan.https}/{where}"
    size = {"width": 320, "height": 640}
    with trusting.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.goto(address, timeout=PATIENCE_MS)
        page.evaluate(
            """() => {
                for (const steps of document.querySelectorAll("details")) steps.open = true;
                for (const part of document.querySelectorAll("#admin, #code, #help")) part.hidden = false;
            }"""
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(22, 21, 19)") is (scheme == "dark")
        assert not [problem for problem in problems if "Content Security Policy" in problem]
        assert violations(page) == []


def test_over_plain_http_the_app_explains_itself(doubting: Browser, make_gateway: MakeGateway) -> None:
    """A gateway that others reach without HTTPS: no camera there, and the page says why."""
    gateway = make_gateway(environment={"FER_ALLOWED_HOSTS": NAME})
    with open_context(doubting) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://{NAME}:{gateway.port}/")
        assert page.evaluate("isSecureContext") is False
        notice = page.get_by_test_id("notice")
        expect(notice).to_contain_text("cannot use the camera", timeout=PATIENCE_MS)
        expect(notice).to_contain_text("HTTPS")
