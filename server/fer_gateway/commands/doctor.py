"""`fer-gateway doctor`: does everything that the gateway needs work here, and if not, what repairs it?"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial

from fer_gateway import __version__
from fer_gateway.commands.options import settings_from
from fer_gateway.errors import GatewayError, ModelError
from fer_gateway.settings import LOOPBACK, Settings

# Each check imports what it looks at, and only then: a broken package is a finding, not a crash.

REINSTALL = "Install again: `pip install --force-reinstall fer-gateway`."


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    """What to do; empty where `ok`."""


def run(arguments: argparse.Namespace) -> int:
    """Print every check; 1 where one has found a problem."""
    checks = list(examine(arguments))
    if arguments.json:
        print(json.dumps({"ok": all(check.ok for check in checks), "checks": [asdict(c) for c in checks]}))
    else:
        for check in checks:
            print(f"{'ok' if check.ok else 'PROBLEM':<8} {check.name:<14} {check.detail}")
            if check.fix:
                print(f"{'':<8} {'':<14} Fix: {check.fix}")
    return 0 if all(check.ok for check in checks) else 1


def examine(arguments: argparse.Namespace) -> Iterator[Check]:
    """The checks, one after the other; where the settings are wrong, the rest is checked with defaults."""
    yield _attempt("python", _python)
    settings = Settings.model_construct()
    try:
        settings = settings_from(arguments)
    except GatewayError as error:
        yield _problem("settings", error)
    else:
        yield _settings(settings)
    for name, check in (
        ("opencv", _opencv),
        ("onnxruntime", _onnxruntime),
        ("model", partial(_model, settings)),
        ("landmarks", partial(_landmarks, settings)),
        ("cascade", partial(_cascade, settings)),
        ("web", _web),
    ):
        yield _attempt(name, check)
    yield _camera(settings)


def _attempt(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except GatewayError as error:
        return _problem(name, error)
    except (ImportError, OSError) as error:
        return Check(name, ok=False, detail=f"{type(error).__name__}: {error}", fix=REINSTALL)


def _problem(name: str, error: GatewayError) -> Check:
    """Our messages end in what to do, behind a semicolon."""
    detail, _, fix = str(error).rpartition("; ")
    return Check(name, ok=False, detail=detail or str(error), fix=fix if detail else REINSTALL)


def _python() -> Check:
    detail = f"{platform.python_version()} on {platform.platform()}, fer-gateway {__version__}"
    if sys.version_info < (3, 11):  # noqa: UP036 - a copied folder has no installer that checks
        return Check("python", ok=False, detail=detail, fix="Use Python 3.11 or newer.")
    return Check("python", ok=True, detail=detail)


def _settings(settings: Settings) -> Check:
    pictures = f"{settings.worker_count} picture(s) at a time, {settings.threads} thread(s) each"
    return Check("settings", ok=True, detail=f"`{settings.host}`, port {settings.port}, {pictures}")


def _opencv() -> Check:
    import cv2

    from fer_gateway.vision.cascade import HaarDetector

    return Check(
        "opencv", ok=True, detail=f"{cv2.__version__}, Haar cascades in `{HaarDetector().path.parent}`"
    )


def _onnxruntime() -> Check:
    import onnxruntime

    providers = ", ".join(onnxruntime.get_available_providers())
    return Check("onnxruntime", ok=True, detail=f"{onnxruntime.__version__}, providers {providers}")


def _model(settings: Settings) -> Check:
    from fer_gateway.inference.model import EmotionModel

    model = EmotionModel.load(settings.model_file, threads=settings.threads, providers=settings.providers)
    difference = model.self_test()
    detail = f"{model.card.name} {model.card.version}, self-test passed (off by {difference:.5f})"
    return Check("model", ok=True, detail=detail)


def _landmarks(settings: Settings) -> Check:
    from fer_gateway.inference.landmarks import LandmarkModel

    card = LandmarkModel.open(settings.landmarks_file).card
    return Check("landmarks", ok=True, detail=f"{card.name} {card.version}, self-test passed")


def _cascade(settings: Settings) -> Check:
    from fer_gateway.inference.model import EmotionModel
    from fer_gateway.vision.cascade import cascade_warning, find_cascade

    try:
        model = EmotionModel.load(settings.model_file)
    except ModelError:
        return Check("cascade", ok=True, detail="not compared, for the model cannot be opened")
    spec = model.card.face
    warning = cascade_warning(find_cascade(spec.detector), spec)
    if warning:
        detail, _, fix = warning.rpartition("; ")
        return Check("cascade", ok=False, detail=detail, fix=fix)
    return Check("cascade", ok=True, detail="the one that the model was trained with")


def _web() -> Check:
    from fer_gateway.api.pages import find_web, web_pages

    folder = find_web()
    return Check("web", ok=True, detail=f"{len(web_pages(folder))} files in `{folder}`")


def _camera(settings: Settings) -> Check:
    detail = f"browsers on this machine give the camera to http://localhost:{settings.port}"
    if settings.host not in LOOPBACK:
        detail += "; on other devices only to HTTPS, so put a proxy with a certificate in front"
    return Check("camera", ok=True, detail=detail)
