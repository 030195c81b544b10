"""`fer-gateway doctor`: does everything that the gateway needs work here, and if not, what repairs it?"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException

from fer_gateway import __version__
from fer_gateway.commands.options import settings_from
from fer_gateway.errors import CannotListen, GatewayError, ModelError
from fer_gateway.settings import LOOPBACK, WILDCARDS, Settings

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
    is_well = all(check.ok for check in checks)
    if arguments.json:
        print(json.dumps({"ok": is_well, "checks": [asdict(check) for check in checks]}))
    else:
        for check in checks:
            print(f"{'ok' if check.ok else 'PROBLEM':<8} {check.name:<14} {check.detail}")
            if check.fix:
                print(f"{'':<8} {'':<14} Fix: {check.fix}")
    if is_well and arguments.bench:
        _measure(settings_from(arguments))
    return 0 if is_well else 1


def _measure(settings: Settings) -> None:
    """Print the row of this machine for the table of devices."""
    from fer_gateway.commands import bench

    print("Measuring for ten seconds; let the machine do nothing else ...", file=sys.stderr)
    print(bench.table(settings))


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
        ("port", partial(_port, settings)),
        ("devices", partial(_devices, settings)),
        ("lan", partial(_lan, settings)),
        *((("battery", _battery),) if settings.battery else ()),
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
    """Our messages end in what to do, behind a semicolon, else in a sentence of its own."""
    detail, _, fix = str(error).rpartition("; ")
    if not detail:
        detail, _, fix = str(error).partition(". ")
        detail, fix = (detail, fix) if fix else ("", "")
    return Check(name, ok=False, detail=detail or str(error), fix=fix if detail else REINSTALL)


def _python() -> Check:
    detail = f"{platform.python_version()} on {platform.platform()}, fer-gateway {__version__}"
    if sys.version_info < (3, 11):  # noqa: UP036 - a copied folder has no installer that checks
        return Check("python", ok=False, detail=detail, fix="Use Python 3.11 or newer.")
    return Check("python", ok=True, detail=detail)


def _settings(settings: Settings) -> Check:
    pictures = f"{settings.worker_count} picture(s) at a time, {settings.threads} thread(s) each"
    if settings.max_fps is not None:
        pictures += f", at most {settings.max_fps:g} camera frames a second"
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
    detail = f"{onnxruntime.__version__}, providers {providers}"
    if os.environ.get("ORT_DISABLE_TELEMETRY") != "1":
        fix = "unset `ORT_DISABLE_TELEMETRY`, which the gateway sets to 1 by itself."
        return Check("onnxruntime", ok=False, detail=f"{detail}; it may report to its maker", fix=fix)
    return Check("onnxruntime", ok=True, detail=f"{detail}, its reports to its maker are off")


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


def _port(settings: Settings) -> Check:
    from fer_gateway.commands.listeners import listening_socket

    try:
        listening_socket(settings.host, settings.port).close()
    except CannotListen:
        if not _gateway_answers(settings):
            raise
        return Check("port", ok=True, detail=f"a gateway answers on port {settings.port} already")
    return Check("port", ok=True, detail=f"{settings.port} of `{settings.host}` is free")


def _gateway_answers(settings: Settings) -> bool:
    host = "localhost" if settings.host in WILDCARDS else settings.host
    connection = HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/api/v1/health")
        return b'"status":"ok"' in connection.getresponse().read(4096)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _devices(settings: Settings) -> Check:
    from fer_gateway.lan.devices import DeviceFile

    known = DeviceFile(settings.devices_file).list()
    over = sum(device.is_expired for device in known)
    detail = f"{len(known)} paired, {over} of them over, in `{settings.devices_file}`"
    return Check("devices", ok=True, detail=detail)


def _lan(settings: Settings) -> Check:
    try:
        from fer_gateway.lan.authority import AUTHORITY_FILE, Authority
    except ImportError:
        return _without_lan(settings)
    if not (settings.data_folder / AUTHORITY_FILE).exists():
        return Check("lan", ok=True, detail="no certificates yet; `fer-gateway serve --lan` makes them")
    authority = Authority.open(settings.data_folder)
    return Check("lan", ok=True, detail=f"certificate authority `{authority.name}`, {authority.fingerprint}")


def _without_lan(settings: Settings) -> Check:
    fix = "`pip install 'fer-gateway[lan]'`, on a phone `pkg install python-cryptography`."
    detail = "`cryptography` is not installed; only `--lan` needs it"
    return Check("lan", ok=not settings.lan, detail=detail, fix=fix if settings.lan else "")


def _battery() -> Check:
    import anyio

    from fer_gateway.power import read_battery

    battery = anyio.run(read_battery)
    plug = "charging" if battery.charging else "not charging"
    return Check("battery", ok=True, detail=f"{battery.percent:.0f} %, {battery.celsius:.1f} C, {plug}")


def _camera(settings: Settings) -> Check:
    detail = f"browsers on this machine give the camera to http://localhost:{settings.port}"
    if settings.host not in LOOPBACK:
        detail += "; on other devices only to HTTPS, so put a proxy with a certificate in front"
    return Check("camera", ok=True, detail=detail)
