"""Access for everybody: axe-core finds nothing, large text is not cut, the keyboard gets everywhere."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .gateway_process import GatewayProcess
from .tour import cut, walk

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").resolve()
PHONE = {"width": 390, "height": 844}
LARGE_TEXT = (
    "addEventListener('DOMContentLoaded', () => { document.documentElement.style.fontSize = '200%'; });"
)
VIOLATIONS = """async () => {
    const animations = document.getAnimations().map(({ finished }) => finished);
    await Promise.allSettled(animations); // one that is cancelled rejects, and is over too
    const { violations, passes } = await axe.run(document);
    if (passes.length < 5) throw new Error("axe looked at nothing");
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => (
        `${html.slice(0, 120)} ${any.map(({ message }) => message).join(" ")}`)).join(" | ")}`);
}"""
CONTROLS = """() => {
    const controls = "a[href], button:enabled, input:enabled, select:enabled, [tabindex='0']";
    const root = document.querySelector("dialog[open]") ?? document;
    const wanted = [...root.querySelectorAll(controls)].filter((element) => (
        element.checkVisibility({ visibilityProperty: true }) && !element.closest("[inert]")));
    window.reached = new Set();
    document.addEventListener("focusin", ({ target }) => window.reached.add(target));
    const missed = (control) => control.isConnected && !window.reached.has(control); // faces come and go
    window.left = () => wanted.filter(missed).map((control) => control.outerHTML);
    return wanted.length;
}"""


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong in the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))  # the page's policy allows no script tag
    found: list[str] = page.evaluate(VIOLATIONS)
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(
    browser: Browser, gateway: GatewayProcess, grace_hopper: Path, theme: str
) -> None:
    dark = theme == "dark"
    with browser.new_context(viewport=PHONE, color_scheme="dark" if dark else "light") as context:  # type: ignore[arg-type]
        page = context.new_page()
        found = {name: violations(page) for name in walk(page, gateway.url, grace_hopper)}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_axe_finds_what_is_wrong(page: Page, gateway: GatewayProcess) -> None:
    page.goto(gateway.url)
    expect(page.locator("body > [inert]")).to_have_count(0)
    page.evaluate("document.querySelector('#camera-button').replaceChildren()")
    assert [wrong.split(":")[0] for wrong in violations(page)] == ["button-name"]


def test_text_of_twice_the_size_is_not_cut(
    browser: Browser, gateway: GatewayProcess, grace_hopper: Path
) -> None:
    with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.add_init_script(LARGE_TEXT)
        found = {name: cut(page) for name in walk(page, gateway.url, grace_hopper)}
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_keyboard_reaches_every_control(
    browser: Browser, gateway: GatewayProcess, grace_hopper: Path
) -> None:
    with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]
        page = context.new_page()
        left = {}
        for name in walk(page, gateway.url, grace_hopper):
            # Three rounds at the most: focus may start anywhere, and what loads late makes a round longer.
            for _ in range(3 * (page.evaluate(CONTROLS) + 4)):
                page.keyboard.press("Tab")
                if not (missed := page.evaluate("window.left()")):
                    break
            left[name] = missed
    assert {name: missed for name, missed in left.items() if missed} == {}
