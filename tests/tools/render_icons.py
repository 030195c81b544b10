"""Renders `web/icons/icon.svg` to the PNG files that the manifest and iOS ask for."""

import argparse
import re
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ICONS = Path(__file__).resolve().parents[2] / "web" / "icons"
SAFE_SHARE = 0.8
"""A platform may cut a maskable icon to a circle of this share of its side."""


def main() -> None:
    """Write all PNG files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="path of the Chromium to draw with")
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=arguments.chromium)
        for name, size_px, maskable in (
            ("icon-192.png", 192, False),
            ("icon-512.png", 512, False),
            ("maskable-512.png", 512, True),
            ("apple-touch-icon.png", 180, True),
        ):
            _render(browser, ICONS / name, size_px, maskable=maskable)
        browser.close()


def _render(browser: Browser, target: Path, size_px: int, *, maskable: bool) -> None:
    drawing = (ICONS / "icon.svg").read_text(encoding="utf-8")
    side_px = round(size_px * SAFE_SHARE) if maskable else size_px
    (ground,) = re.findall(r'<rect [^>]*fill="([^"]+)"', drawing)
    background = ground if maskable else "transparent"
    page = browser.new_page(viewport={"width": size_px, "height": size_px})
    page.set_content(
        f"<style>body {{ margin: 0; height: 100vh; display: grid; place-items: center;"
        f" background: {background} }} svg {{ width: {side_px}px }}</style>{drawing}"
    )
    page.screenshot(path=target, omit_background=True)
    page.close()


if __name__ == "__main__":
    main()
