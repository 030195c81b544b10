"""The API documentation in Chromium: rendered and usable, within the policy, without a request elsewhere."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

ANALYZE = "[id^=operations-][id$=-analyze]"


def test_an_operation_can_be_tried(gateway: GatewayProcess, page: Page, astronaut: Path) -> None:
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{gateway.url}/docs")
    page.locator(".opblock").first.wait_for(timeout=60_000)
    paths = httpx.get(f"{gateway.url}/api/v1/openapi.json").json()["paths"]
    expect(page.locator(".opblock")).to_have_count(sum(len(operations) for operations in paths.values()))
    page.locator(f"{ANALYZE} .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.locator(f"{ANALYZE} input[type=file]").set_input_files(astronaut)
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(f"{ANALYZE} .live-responses-table .response .highlight-code").first
    answer.wait_for(timeout=60_000)
    assert '"confidence"' in answer.inner_text()
    assert complaints == []
    assert all(url.startswith((gateway.url, "data:", "blob:")) for url in requests), requests
