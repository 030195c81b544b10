"""Options of the command line to settings, and to what is asked of an analysis."""

import argparse
from typing import Any

from pydantic import ValidationError

from fer_gateway.errors import InvalidSettings
from fer_gateway.options import Options
from fer_gateway.settings import LOCAL_NAMES, Settings


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings: options given, else `FER_*` variables, else defaults.

    Raises:
        InvalidSettings: a value that does not fit; the message names all of them.
    """
    options: dict[str, Any] = {name: getattr(arguments, name, None) for name in Settings.model_fields}
    given = {name: value for name, value in options.items() if value is not None}
    if "allowed_hosts" in given:
        given["allowed_hosts"] = [*LOCAL_NAMES, *given["allowed_hosts"]]
    try:
        return Settings(**given)
    except ValidationError as exc:
        faults = [
            f"`{fault['input']}` for {_source(str(fault['loc'][0]), given)}: {fault['msg']}"
            for fault in exc.errors(include_url=False)
        ]
        raise InvalidSettings("; ".join(faults)) from exc


def analysis_options_from(arguments: argparse.Namespace) -> Options:
    """What `analyze` was asked for: `Options`, from arguments named `ask_` and a field's name.

    Raises:
        InvalidSettings: a value that does not fit; the message names all of them.
    """
    asked = {name: getattr(arguments, f"ask_{name}") for name in Options.model_fields}
    try:
        return Options.model_validate({name: value for name, value in asked.items() if value is not None})
    except ValidationError as exc:
        faults = [
            f"`{fault['input']}` for `--{str(fault['loc'][0]).replace('_', '-')}`: {fault['msg']}"
            for fault in exc.errors(include_url=False)
        ]
        raise InvalidSettings("; ".join(faults)) from exc


def _source(name: str, given: dict[str, object]) -> str:
    return f"`--{name.replace('_', '-')}`" if name in given else f"`FER_{name.upper()}`"
