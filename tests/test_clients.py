"""The example clients of `server/examples`, each run against a real gateway with the packaged model."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Playwright, expect
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from fer_gateway.api.mailbox import WINDOW
from fer_gateway.lan.devices import DeviceFile

from .e2e.chromium import QUIET, find_chromium
from .e2e.gateway_process import GatewayProcess

EXAMPLES = Path(__file__).parents[1] / "server" / "examples"


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    """The examples as a site of their own; `.mjs` needs its type on systems that do not know it."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The origin of another site, which holds the examples."""
    handler = functools.partial(QuietFiles, directory=str(EXAMPLES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("devices") / "devices.json"


@pytest.fixture(scope="module", params=["free", "crowded"])
def gateway(request: pytest.FixtureRequest, site: str, devices: Path) -> Iterator[str]:
    """The address of a gateway that asks for tokens, tells events, and lets the other site call.

    Streams of the crowded one begin without a credit and get each by itself.
    """
    is_crowded = request.param == "crowded"
    variables = {
        **({"FER_MAX_FPS": "5"} if is_crowded else {}),
        "FER_REQUIRE_TOKEN": "true",
        "FER_DEVICES": str(devices),
        "FER_EVENTS": "true",
        "FER_ALLOWED_ORIGINS": site,
    }
    process = GatewayProcess(environment=variables)
    try:
        url = process.start().url
        with crowd(url, DeviceFile(devices).add("crowd", ("stream",), 1)[1]) if is_crowded else nullcontext():
            yield url
    finally:
        process.stop()


@contextmanager
def crowd(url: str, token: str) -> Iterator[None]:
    """Stream after stream takes both of its credits for nothing: others have to wait for theirs."""
    address = f"{url.replace('http', 'ws', 1)}/api/v1/stream"
    over = threading.Event()

    def crowd_in() -> None:
        while not over.is_set():
            with connect(address, subprotocols=[Subprotocol("fer.v1")], proxy=None) as stream:
                stream.send(json.dumps({"type": "hello", "token": token, "options": {}}))
                credits_ = json.loads(stream.recv())["window"]
                while credits_ < WINDOW:
                    credits_ += json.loads(stream.recv())["credits"]

    thread = threading.Thread(target=crowd_in)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def code(devices: Path) -> str:
    """A pairing code."""
    return DeviceFile(devices).open_pairing(("analyze", "stream"), 1)[1]


@pytest.fixture
def token(devices: Path) -> str:
    return DeviceFile(devices).add("test", ("analyze", "stream"), 1)[1]


def run(command: Sequence[str | Path]) -> list[str]:
    """The lines that a client prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_curl(gateway: str, token: str, astronaut: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("no `curl` here")
    analyze, batch, problem = run([EXAMPLES / "client.sh", gateway, token, astronaut])
    assert analyze.startswith('analyze {"faces":[{')
    assert '"label":"happiness"' in analyze
    assert '"code":"unsupported_image"' in batch
    assert '"name":"astronaut.png","analysis":{' in batch
    assert '"status":415' in problem


def test_python(gateway: str, code: str, astronaut: Path) -> None:
    *answers, problem = run([sys.executable, EXAMPLES / "client.py", gateway, code, astronaut])
    assert problem.startswith("problem unsupported_image: ")
    assert answers == [
        "analyze happiness",
        "batch photo.jpg ok",
        "batch text.jpg unsupported_image",
        "events ready",
        "events result picture happiness",
    ]


def test_node(gateway: str, code: str, astronaut: Path) -> None:
    node = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    if not node:
        pytest.skip("no Node here: `make web` installs one")
    major = int(run([node, "-p", "process.versions.node.split('.')[0]"])[0])
    flags = ["--no-warnings", *(["--experimental-websocket"] if major < 22 else [])]
    assert run([node, *flags, EXAMPLES / "node.mjs", gateway, code, astronaut]) == [
        "analyze happiness",
        "batch ok",
        "batch unsupported_image",
        "stream 0 happiness",
        "stream 1 happiness",
        "stream 2 happiness",
        "events fer-hybrid",
        "events picture",
        "problem unsupported_image",
    ]


@pytest.mark.slow
def test_java(gateway: str, code: str, astronaut: Path) -> None:
    if not shutil.which("javac"):
        reason = "NO JAVA TEST: `make java` says how to get a JDK"
        pytest.fail(reason) if os.environ.get("JAVA_REQUIRED") else pytest.skip(reason)
    assert run(["java", EXAMPLES / "android" / "Client.java", gateway, code, astronaut]) == [
        "analyze happiness",
        "stream happiness",
        "problem unsupported_image",
    ]


@pytest.mark.browser
def test_a_browser(gateway: str, site: str, token: str, astronaut: Path, playwright: Playwright) -> None:
    """A page of another origin: CORS for its requests, `Origin` and token for its stream."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("NO BROWSER TESTS: install `chromium`")
    with playwright.chromium.launch(executable_path=chromium, args=list(QUIET)) as browser:
        page = browser.new_page()
        page.goto(f"{site}/browser.html")
        page.fill("#gateway", gateway)
        page.fill("#token", token)
        page.set_input_files("#photo", astronaut)
        answers = page.locator("#answers")
        expect(answers).to_contain_text("problem", timeout=120_000)
        assert answers.inner_text().splitlines() == [
            "analyze happiness",
            "batch ok",
            "batch unsupported_image",
            "stream 0 happiness",
            "problem unsupported_image",
        ]


def test_android_speaks_plainly_to_its_own_machine_only() -> None:
    root = ET.parse(EXAMPLES / "android" / "network_security_config.xml").getroot()
    base, local = root
    assert (base.tag, base.get("cleartextTrafficPermitted")) == ("base-config", "false")
    trusted = [element.get("src") for element in base.iter("certificates")]
    assert trusted == ["system", "@raw/fer_gateway_ca"]
    assert (local.tag, local.get("cleartextTrafficPermitted")) == ("domain-config", "true")
    assert {domain.text for domain in local} == {"localhost", "127.0.0.1"}
    assert all(domain.get("includeSubdomains") == "false" for domain in local)


def test_the_page_names_what_exists() -> None:
    page = (EXAMPLES / "README.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)#]+)", page)
    assert links
    assert not [link for link in links if "://" not in link and not (EXAMPLES / link).exists()]
    protocol = (EXAMPLES.parent / "fer_gateway" / "api" / "protocol.py").read_text("utf-8")
    sent = set(re.findall(r'"type": "(\w+)"', protocol))
    assert {"ready", "model", "result", "grant", "error"} == sent
    assert sent <= set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))
