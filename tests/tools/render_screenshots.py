"""Takes the screenshots that the manifest shows before an installation, of a photo in the public domain.

Run `python -m tests.tools.render_screenshots`.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage
from playwright.sync_api import Page, expect, sync_playwright
from tests.e2e.chromium import QUIET, fake_camera, open_context
from tests.e2e.gateway_process import GatewayProcess

SCREENSHOTS = Path(__file__).resolve().parents[2] / "web" / "screenshots"
PHOTO = Path(skimage.__file__).parent / "data" / "astronaut.png"
FRAMED_PX = (75, 0, 320, 240)
"""Left, top, width and height of the part of the photo that the camera sees."""
NARROW_PX, WIDE_PX = (390, 844), (1280, 800)
QUALITY = 72
WITHIN_MS = 60_000


def main() -> None:
    """Write all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="path of the Chromium to draw with")
    arguments = parser.parse_args()
    SCREENSHOTS.mkdir(exist_ok=True)
    gateway = GatewayProcess().start()
    try:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            clip = write_clip(Path(folder) / "camera.mjpeg")
            browser = playwright.chromium.launch(
                executable_path=arguments.chromium, args=[*QUIET, *fake_camera(clip)]
            )
            for name, size_px, scale, show in (
                ("live-narrow", NARROW_PX, 2, _show_live),
                ("files-narrow", NARROW_PX, 2, _show_files),
                ("live-wide", WIDE_PX, 1, _show_live),
            ):
                viewport = {"width": size_px[0], "height": size_px[1]}
                with open_context(browser, viewport=viewport, device_scale_factor=scale) as context:
                    _take(context.new_page(), gateway.url, name, show)
            browser.close()
    finally:
        gateway.stop()


def write_clip(path: Path) -> Path:
    """Two frames of the photo as Motion JPEG, for a camera to play."""
    left, top, width, height = FRAMED_PX
    photo = cv2.imread(str(PHOTO))
    assert photo is not None
    seen = cv2.resize(
        photo[top : top + height, left : left + width], (640, 480), interpolation=cv2.INTER_CUBIC
    )
    path.write_bytes(cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes() * 2)
    return path


def _take(page: Page, url: str, name: str, show: Callable[[Page, str], None]) -> None:
    show(page, url)
    picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    cv2.imwrite(str(SCREENSHOTS / f"{name}.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


def _show_live(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".face").first).to_be_visible(timeout=WITHIN_MS)
    page.wait_for_timeout(8_000)  # a few seconds of the timeline


def _show_files(page: Page, url: str) -> None:
    page.goto(f"{url}/#files")
    page.locator("#files-input").set_input_files(PHOTO)
    expect(page.locator(".photo-words")).to_contain_text("%", timeout=WITHIN_MS)


if __name__ == "__main__":
    main()
