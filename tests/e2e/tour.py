"""A walk through every view and dialog of the page, in any language, and what does not fit in them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect

from .test_sessions import made_session

WITHIN_MS = 30_000

CUT = """() => {
    const width = document.documentElement.clientWidth;
    const found = [];
    if (document.documentElement.scrollWidth > width) found.push("the page scrolls sideways");
    for (const element of document.querySelectorAll("body *")) {
        if (!element.checkVisibility({ visibilityProperty: true })) continue;
        if (element.closest(".unseen, .faces, .framed, .photo, .bar-meter, svg")) continue; // over pictures
        if (element.closest(".results, .summary table") || element.matches(".stage, input")) continue;
        const { clientWidth, scrollWidth } = element;
        const { overflowX, display } = getComputedStyle(element);
        const { left, right } = element.getBoundingClientRect();
        const wide = display !== "inline" && clientWidth && scrollWidth > clientWidth + 1;
        const name = `${element.localName}.${element.className} "${element.textContent.trim().slice(0, 30)}"`;
        if (wide && overflowX !== "auto") found.push(`${name} is too narrow for its content`);
        if (left < -1 || right > width + 1) found.push(`${name} leaves the screen`);
    }
    return found;
}"""


def cut(page: Page) -> list[str]:
    """What is cut off or leaves the screen sideways, in words."""
    found: list[str] = page.evaluate(CUT)
    return found


def walk(page: Page, url: str, photo: Path) -> Iterator[str]:
    """Open the page, its notice not yet accepted, and stop at each view and dialog; yields their names."""
    page.goto(url)
    expect(page.locator("#consent")).to_be_visible(timeout=WITHIN_MS)
    yield "consent"
    page.locator("#consent button").click()
    expect(page.locator("body > [inert]")).to_have_count(0)
    expect(page.get_by_test_id("bars").get_by_role("meter").first).to_be_visible(timeout=WITHIN_MS)
    yield "live, idle"
    page.locator("#camera-button").click()
    expect(page.locator(".face").first).to_be_visible(timeout=WITHIN_MS)
    page.locator("#clip-switch").check()
    page.locator("#record-button").click()
    expect(page.get_by_test_id("recording-time")).to_have_text(
        re.compile(r"0:(0[1-9]|[1-5]\d)"), timeout=WITHIN_MS
    )
    yield "live, running"
    page.get_by_test_id("gateway").click()
    expect(page.locator("#status .card-scores tbody tr").first).to_be_visible(timeout=WITHIN_MS)
    yield "connection"
    page.keyboard.press("Escape")
    page.locator("#record-button").click()
    page.locator("#pause-button").click()
    expect(page.locator("[data-camera=frozen] .face").first).to_be_visible(timeout=WITHIN_MS)
    yield "live, paused"
    page.locator(".face").first.click()
    expect(page.locator("#explanation[data-state=done]")).to_be_visible(timeout=WITHIN_MS)
    yield "explanation"
    page.keyboard.press("Escape")
    yield from _walk_on(page, photo)


def _walk_on(page: Page, photo: Path) -> Iterator[str]:
    """Sessions, files and about, with a session recorded already."""
    page.locator(".views a[href='#sessions']").click()
    page.locator(".session a").click()
    expect(page.locator(".film")).to_have_js_property("readyState", 4, timeout=WITHIN_MS)
    yield "session with its clip"
    page.locator("a.for-open").click()
    text = json.dumps(made_session())
    page.locator("#session-file").set_input_files(
        {"name": "session.json", "mimeType": "application/json", "buffer": text.encode()}
    )
    expect(page.locator("#compare-choice")).to_be_visible(timeout=WITHIN_MS)
    yield "session"
    page.locator("a.for-open").click()
    expect(page.locator(".session")).to_have_count(2)
    yield "sessions"
    page.locator("[data-act=ask]").click()
    yield "delete all sessions"
    page.keyboard.press("Escape")
    page.locator(".views a[href='#files']").click()
    page.locator("#files-input").set_input_files(photo)
    expect(page.locator(".photo .face, .photo-open[aria-label]").first).to_be_visible(timeout=WITHIN_MS)
    yield "files"
    page.locator("#files-table").click()
    expect(page.locator(".results tr")).to_have_count(2, timeout=WITHIN_MS)
    yield "files, table"
    page.locator("#files-table").click()
    page.locator(".photo-open").click()
    yield "photo"
    page.keyboard.press("Escape")
    page.locator(".views a[href='#about']").click()
    expect(page.locator("#view-about")).to_be_visible()
    yield "about"
    page.locator("#erase-button").click()
    yield "delete everything"
    page.keyboard.press("Escape")
