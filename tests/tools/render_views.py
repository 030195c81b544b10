"""Draws every view and dialog in both themes and two sizes, to be looked at; four of them are for the README.

Run `python -m tests.tools.render_views --out /tmp/views`; `--readme` writes `tests/screenshots` as well.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from tests.e2e.chromium import QUIET, fake_camera, find_chromium
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.tour import walk
from tests.tools.render_screenshots import write_clip

SCREENSHOTS = Path(__file__).resolve().parents[1] / "screenshots"
PHOTO = Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
SHOWN = {
    ("desktop", "light", "live, running"): "desktop",
    ("phone", "dark", "explanation"): "phone",
    ("phone", "light", "session"): "session",
    ("desktop", "dark", "files"): "files",
}
"""Pictures in the README by size, theme and view."""
MOST_PX = (960, 844)
SETTLED_MS = {"live, running": 20_000}
"""A timeline is to be seen."""


def main() -> None:
    """Walk through the page once for each size and theme."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for all pictures")
    parser.add_argument("--readme", action="store_true", help="write those that the README shows, too")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    gateway = GatewayProcess().start()
    try:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            clip = write_clip(Path(folder) / "camera.mjpeg")
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=[*QUIET, *fake_camera(clip)]
            )
            for size in SIZES:
                for theme in ("light", "dark"):
                    for view, page in _views(browser, gateway.url, size, theme):
                        picture = page.screenshot()
                        name = f"{size}-{theme}-{re.sub('[^a-z]+', '-', view)}.png"
                        (arguments.out / name).write_bytes(picture)
                        print(name, flush=True)
                        shown = SHOWN.get((size, theme, view))
                        if shown and arguments.readme:
                            _write_small(SCREENSHOTS / f"{shown}.png", picture)
            browser.close()
    finally:
        gateway.stop()


def _views(browser: Browser, url: str, size: str, theme: str) -> Iterator[tuple[str, Page]]:
    width, height = SIZES[size]
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    ) as context:
        page = context.new_page()
        for view in walk(page, url, PHOTO):
            page.wait_for_timeout(SETTLED_MS.get(view, 500))
            yield view, page


def _write_small(path: Path, picture: bytes) -> None:
    """Write a PNG with few pixels and colours: the repository keeps each for ever."""
    whole = Image.open(BytesIO(picture)).convert("RGB")
    whole.thumbnail(MOST_PX, Image.Resampling.LANCZOS)
    whole.quantize(256, Image.Quantize.MEDIANCUT, kmeans=5).save(path, optimize=True)


if __name__ == "__main__":
    main()
