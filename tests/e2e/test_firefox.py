"""The core path in Firefox: notice, camera, stream, recording, replay, photos, and no gateway."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import MakeGateway
from .firefox import Firefox, find_firefox
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """A Firefox with a camera that plays colours; without one on this machine these tests are skipped."""
    executable = find_firefox()
    if executable is None:
        pytest.skip("no Firefox: install `firefox-esr`, or name one in the environment variable `FIREFOX`")
    with Firefox(executable, tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


def text_of(firefox: Firefox, selector: str) -> str:
    """What an element says."""
    return str(firefox.evaluate(f"document.querySelector('{selector}').textContent"))


def accept(firefox: Firefox) -> None:
    """Accept the notice as soon as it is shown, if it is, and wait until the page answers."""
    firefox.wait_for(
        "document.querySelector('#consent').open && document.querySelector('#consent button').click(), "
        "document.querySelectorAll('body > [inert]').length === 0"
    )


def test_streams_records_and_replays(firefox: Firefox, gateway: GatewayProcess) -> None:
    firefox.open(gateway.url)
    firefox.wait_for("document.querySelector('#consent').open")
    firefox.click("#consent button")
    firefox.wait_for("document.querySelector('.gateway').textContent.includes('Gateway ready')")

    firefox.click("#camera-button")
    firefox.wait_for("document.querySelector('.gateway').textContent.includes('Connected')")
    firefox.wait_for("/\\d ms/.test(document.querySelector('[data-testid=latency]').textContent)")
    assert text_of(firefox, ".main-label") == "no face"  # the camera shows colours only
    firefox.click("#record-button")
    firefox.wait_for("/^0:0[2-9]/.test(document.querySelector('.recording-time').textContent)")
    firefox.click("#record-button")
    firefox.click(".recording-link")
    firefox.wait_for("document.querySelector('.strip-answer')?.textContent === 'no face'")
    firefox.click("#play-button")
    firefox.wait_for("document.querySelector('.strip input').value > 500")
    firefox.click(".views a[href='#live']")  # the camera stopped meanwhile, and starts again by itself
    firefox.wait_for("document.querySelector('.gateway').textContent.includes('Connected')")
    firefox.click("#camera-button")
    firefox.wait_for("document.querySelector('video').srcObject === null")


def test_reads_photos(firefox: Firefox, gateway: GatewayProcess, astronaut: Path) -> None:
    firefox.open(f"{gateway.url}/?photos#files")
    accept(firefox)
    firefox.choose_files("#files-input", astronaut)
    firefox.wait_for("/%/.test(document.querySelector('.photo-words')?.textContent)")
    assert re.fullmatch(r"happiness \d{2,3}%", text_of(firefox, ".photo-words"))
    firefox.click("#files-table")
    firefox.wait_for("document.querySelectorAll('.results tr').length === 2")


def test_opens_without_the_gateway(firefox: Firefox, make_gateway: MakeGateway) -> None:
    gateway = make_gateway()
    firefox.open(gateway.url)
    accept(firefox)
    firefox.wait_for(
        "navigator.serviceWorker.getRegistration().then((found) => found?.active?.state === 'activated')"
    )
    gateway.stop()
    firefox.open(f"{gateway.url}/?again#sessions")
    firefox.wait_for("document.querySelector('.gateway').textContent.includes('unreachable')")
    firefox.wait_for("!document.querySelector('#view-sessions').hidden")
