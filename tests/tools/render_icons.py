"""Renders the PNG files that the manifest and iOS ask for: the icon, and one for each shortcut."""

import argparse
import re
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ICONS = Path(__file__).resolve().parents[2] / "web" / "icons"
SAFE_SHARE = 0.8
"""A platform may cut a maskable icon to a circle of this share of its side."""

SHORTCUTS = ("live", "sessions", "files")
SHORTCUT_PX = 96
SHORTCUT_SHARE = 0.6


def main() -> None:
    """Write all PNG files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="path of the Chromium to draw with")
    arguments = parser.parse_args()
    icon = (ICONS / "icon.svg").read_text(encoding="utf-8")
    (ground,) = re.findall(r'<rect [^>]*fill="([^"]+)"', icon)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium)
        for name, size_px, maskable in (
            ("icon-192.png", 192, False),
            ("icon-512.png", 512, False),
            ("maskable-512.png", 512, True),
            ("apple-touch-icon.png", 180, True),
        ):
            share, background = (SAFE_SHARE, ground) if maskable else (1.0, "transparent")
            _render(browser, icon, ICONS / name, size_px, share=share, background=background)
        for view in SHORTCUTS:
            drawing = (ICONS / "views" / f"{view}.svg").read_text(encoding="utf-8").replace("#000", "#fff")
            target = ICONS / "views" / f"{view}-{SHORTCUT_PX}.png"
            _render(browser, drawing, target, SHORTCUT_PX, share=SHORTCUT_SHARE, background=ground)
        browser.close()


def _render(
    browser: Browser, drawing: str, target: Path, size_px: int, *, share: float, background: str
) -> None:
    """Draw in the middle, on `share` of the side."""
    page = browser.new_page(viewport={"width": size_px, "height": size_px})
    page.set_content(
        f"<style>body {{ margin: 0; height: 100vh; display: grid; place-items: center;"
        f" background: {background} }} svg {{ width: {round(size_px * share)}px }}</style>{drawing}"
    )
    page.screenshot(path=target, omit_background=True)
    page.close()


if __name__ == "__main__":
    main()
