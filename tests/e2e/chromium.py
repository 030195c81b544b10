"""Which Chromium the browser tests drive."""

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ALLOW_CAMERA = "--use-fake-ui-for-media-stream"
NOTICE_VERSION = "1"
"""As in `web/shell/privacy.js`."""
ACCEPT_NOTICE = (
    f"try {{ localStorage.setItem('fer.notice', '{NOTICE_VERSION}'); }} catch {{ /* about:blank */ }}"
)
FAKE_CAMERA = "--use-fake-device-for-media-stream"


def find_chromium() -> Path | None:
    """The file named by `CHROMIUM`, else the first of `NAMES` on the path, else none."""
    named = os.environ.get("CHROMIUM")
    if named:
        return Path(named)
    found = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in found if path), None)


def fake_camera(clip: Path) -> list[str]:
    """Arguments for a camera that plays `clip`, which every page may use without asking."""
    return [ALLOW_CAMERA, FAKE_CAMERA, f"--use-file-for-fake-video-capture={clip}"]


def open_context(browser: Browser, **options: Any) -> BrowserContext:
    """A context of `browser` in which the notice at the first start has been accepted already."""
    context = browser.new_context(**options)
    context.add_init_script(ACCEPT_NOTICE)
    return context
