"""Options of the command line to settings, and to what is asked of an analysis."""

import argparse
from typing import Any

from pydantic import ValidationError

from fer_gateway.configuration import Configuration, configure
from fer_gateway.errors import InvalidSettings
from fer_gateway.options import Options
from fer_gateway.settings import LOCAL_NAMES, Settings


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that hold; for where they come from and the errors see `configure`."""
    return configuration_from(arguments).settings


def configuration_from(arguments: argparse.Namespace) -> Configuration:
    """The settings that hold, each with its source; for the errors see `configure`."""
    options: dict[str, Any] = {name: getattr(arguments, name, None) for name in Settings.model_fields}
    given = {name: value for name, value in options.items() if value is not None}
    if "allowed_hosts" in given:
        given["allowed_hosts"] = [*LOCAL_NAMES, *given["allowed_hosts"]]
    return configure(given, config=getattr(arguments, "config", None))


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
