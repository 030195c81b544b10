"""The page in each of its languages: taken from the browser, chosen by hand, whole on the smallest phone."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from .chromium import open_context
from .gateway_process import GatewayProcess
from .tour import WITHIN_MS, cut, walk

pytestmark = pytest.mark.browser

LANGUAGE = Path(__file__).resolve().parents[2] / "web" / "language"
LANGUAGES = sorted(path.stem for path in LANGUAGE.glob("*.json"))
SMALLEST = {"width": 320, "height": 640}


def words(language: str, group: str, key: str) -> str:
    """One text of a language."""
    found: str = json.loads((LANGUAGE / f"{language}.json").read_text(encoding="utf-8"))[group][key]
    return found


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_a_reader_gets_their_language_and_all_of_it_fits(
    browser: Browser, gateway: GatewayProcess, grace_hopper: Path, language: str
) -> None:
    with browser.new_context(viewport=SMALLEST, locale=f"{language}-XX") as context:  # type: ignore[arg-type]
        page = context.new_page()
        found = {}
        for name in walk(page, gateway.url, grace_hopper):
            found[name] = cut(page)
            if name == "live, running":
                label = words(language, "emotions", "happiness")
                expect(page.get_by_test_id("main-label")).to_have_text(label)
                expect(page.locator(".face-label").first).to_have_text(re.compile(rf"^{label}"))
                button = page.get_by_role("button", name=words(language, "live", "stop"))
                expect(button).to_be_visible()
            assert page.locator("html").get_attribute("lang") == language
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_chosen_language_is_kept(browser: Browser, gateway: GatewayProcess) -> None:
    with open_context(browser, locale="fr-FR") as context:
        page = context.new_page()
        page.goto(f"{gateway.url}/#about")
        heading = page.locator("#about-title")
        choice = page.locator("#language-choice")
        expect(heading).to_have_text(words("fr", "views", "about"), timeout=WITHIN_MS)
        assert (
            sorted(option.get_attribute("value") or "" for option in choice.locator("option").all())
            == LANGUAGES
        )
        choice.select_option(label="Deutsch")
        expect(heading).to_have_text(words("de", "views", "about"), timeout=WITHIN_MS)
        page.reload()
        expect(heading).to_have_text(words("de", "views", "about"), timeout=WITHIN_MS)
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(choice).to_have_value("de")
