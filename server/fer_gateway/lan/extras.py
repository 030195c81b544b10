"""Packages that only the local network needs: `pip install 'fer-gateway[lan]'`."""

from importlib import import_module
from types import ModuleType

from fer_gateway.errors import ExtraMissing


def extra(module: str, purpose: str) -> ModuleType:
    """A module of a package that need not be installed.

    Raises:
        ExtraMissing: it is not; the message says what for, and how to get it.
    """
    try:
        return import_module(module)
    except ImportError as exc:
        package = module.partition(".")[0]
        raise ExtraMissing(
            f"{purpose} needs the package `{package}` ({exc}): `pip install 'fer-gateway[lan]'`, "
            f"on a phone `pkg install python-{package}`, or `pip install {package}`."
        ) from exc
