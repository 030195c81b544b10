"""The connection as people see it: figures, the model's card, and what works without the gateway."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import MakeGateway
from .gateway_process import GatewayProcess
from .test_live import start_camera

pytestmark = pytest.mark.browser

WITHIN_MS = 30_000


def value_of(panel: Locator, name: str) -> Locator:
    """The figure of this name."""
    return panel.locator(f"[data-value={name}]")


def test_the_panel_shows_how_the_stream_does(page: Page, gateway: GatewayProcess) -> None:
    start_camera(page, gateway.url)
    page.get_by_test_id("gateway").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Connection")

    expect(panel).to_be_visible()
    expect(value_of(panel, "state")).to_have_text(re.compile(r"^Connected · \d+:\d\d$"))
    for name in ("median", "percentile-95"):
        expect(value_of(panel, name)).to_have_text(re.compile(r"^[1-9]\d* ms$"))
    expect(value_of(panel, "rate")).to_have_text(re.compile(r"^[1-9]\d*(\.\d)?$"), timeout=WITHIN_MS)
    expect(value_of(panel, "lost")).to_have_text(re.compile(r"^\d+$"))
    expect(value_of(panel, "queue")).to_have_text(re.compile(r"^\d of [1-9]$"))
    expect(value_of(panel, "reconnects")).to_have_text("0")
    expect(panel.locator(".sparkline path")).to_have_attribute("d", re.compile(r"^M\d"))
    expect(value_of(panel, "address")).to_have_text(f"localhost:{gateway.port}")
    expect(value_of(panel, "version")).to_have_text(re.compile(r"^\d+\.\d+\.\d+"))
    expect(value_of(panel, "uptime")).to_have_text(re.compile(r"^(\d+:)?\d+:\d\d$"))

    card = page.request.get(f"{gateway.url}/api/v1/model").json()
    expect(panel).to_contain_text(f"{card['name']} {card['version']}")
    expect(panel).to_contain_text(card["provenance"]["licence"])
    expect(panel).to_contain_text("neutral, happiness, surprise")
    expect(panel.locator(".card-scores tbody tr")).to_have_count(len(card["evaluations"]))
    assert "{" not in panel.inner_text()

    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.get_by_test_id("gateway")).to_be_focused()


def test_says_what_works_without_the_gateway_and_counts_reconnects(
    page: Page, make_gateway: MakeGateway
) -> None:
    gateway = make_gateway()
    start_camera(page, gateway.url)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    away = page.locator(".away")
    expect(away).to_be_hidden()

    gateway.stop()
    expect(away).to_contain_text("replay them and export them", timeout=WITHIN_MS)
    page.get_by_test_id("gateway").click()
    panel = page.get_by_role("dialog", name="Connection")
    expect(value_of(panel, "state")).to_contain_text("Reconnecting")
    expect(value_of(panel, "rate")).to_have_text("–")
    expect(value_of(panel, "uptime")).to_have_text("–", timeout=WITHIN_MS)

    gateway.start()
    expect(value_of(panel, "state")).to_contain_text("Connected", timeout=WITHIN_MS)
    expect(value_of(panel, "reconnects")).to_have_text("1")
    expect(value_of(panel, "uptime")).to_have_text(re.compile(r"^\d+:\d\d$"))
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    expect(away).to_be_hidden()

    page.get_by_role("button", name="Stop camera").click()
    gateway.stop()
    page.reload()
    expect(away).to_be_visible(timeout=WITHIN_MS)
    away.get_by_role("link", name="Open sessions").click()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(away.get_by_role("link")).to_be_hidden()
