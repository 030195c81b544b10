"""Where settings come from: options, `FER_*` variables, `.env`, a TOML file; and which of them has the say.

The first that names a setting decides: an option of the command line, the environment, the file `.env` in the
working directory, the TOML file (`--config`, else `FER_CONFIG`, else `fer-gateway.toml` in the working
directory), the default. Variables that are empty count as not set.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from dotenv import dotenv_values
from pydantic import ValidationError

from fer_gateway.errors import InvalidSettings
from fer_gateway.presets import PRESETS
from fer_gateway.settings import Settings

PREFIX = "FER_"
CONFIG_VARIABLE = "FER_CONFIG"
CONFIG_FILE = "fer-gateway.toml"
DOTENV_FILE = ".env"
DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and where each of them comes from."""

    settings: Settings
    sources: Mapping[str, str]
    """By name: `--port`, `FER_PORT`, `FER_PORT in .env`, `fer-gateway.toml`, `preset phone` or `default`."""

    def rows(self) -> list[tuple[str, object, str]]:
        """Name, value as JSON has it, and source of every setting."""
        values = self.settings.model_dump(mode="json")
        return [(name, value, self.sources[name]) for name, value in values.items()]


def configure(
    options: Mapping[str, Any] | None = None, *, config: Path | None = None, folder: Path = Path()
) -> Configuration:
    """The settings that hold.

    Args:
        options: by name, what the command line gave; they win.
        config: the TOML file that it named.
        folder: the working directory, with `.env` and `fer-gateway.toml`.

    Raises:
        InvalidSettings: a value that does not fit, a name that is no setting, a file that cannot be read; the
            message names all values that do not fit, each with its source.
    """
    options = options or {}
    dotenv = _from_dotenv(folder / DOTENV_FILE)
    named = config or _named_file(os.environ) or _named_file(dotenv)
    layers = [
        {name: (value, f"--{name.replace('_', '-')}") for name, value in options.items()},
        _from_variables(os.environ, ""),
        _from_variables(dotenv, f" in {DOTENV_FILE}"),
        _from_toml(named, folder),
    ]
    found = {name: pair for layer in reversed(layers) for name, pair in layer.items()}
    sources = {name: found[name][1] if name in found else DEFAULT for name in Settings.model_fields}
    try:
        settings = Settings(**{name: value for name, (value, _) in found.items()})
    except ValidationError as exc:
        faults = [
            f"{_place(fault['loc'], fault['input'], sources)}{fault['msg']}"
            for fault in exc.errors(include_url=False)
        ]
        raise InvalidSettings("; ".join(faults)) from exc
    preset = dict.fromkeys(PRESETS[settings.preset], f"preset {settings.preset}")
    return Configuration(settings, sources | {name: preset[name] for name in preset if name not in found})


Layer = dict[str, tuple[Any, str]]
"""Values with their sources, by the names of settings."""


def _place(place: tuple[int | str, ...], value: object, sources: Mapping[str, str]) -> str:
    """Which value does not fit, and where it stands; settings that contradict each other have none."""
    name = str(place[0]) if place else ""
    if name not in sources:
        return ""
    told = sources[name]
    return (
        f"`{value}` for `{told}`: "
        if told.startswith(("--", PREFIX))
        else f"`{value}` for `{name}` in `{told}`: "
    )


def _named_file(variables: Mapping[str, str | None]) -> Path | None:
    text = variables.get(CONFIG_VARIABLE)
    return Path(text) if text else None


def _from_variables(variables: Mapping[str, str | None], where: str) -> Layer:
    """What `FER_*` variables say; others of that prefix, which other programs may set, are left alone."""
    names = {f"{PREFIX}{name.upper()}": name for name in Settings.model_fields}
    return {
        names[variable.upper()]: (value, f"{variable.upper()}{where}")
        for variable, value in variables.items()
        if value and variable.upper() in names
    }


def _from_dotenv(path: Path) -> dict[str, str | None]:
    """The variables of a `.env` file; one that starts with `FER_` and is none of ours is a mistake."""
    if not path.is_file():
        return {}
    try:
        variables = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidSettings(f"`{path}` cannot be read ({exc}); repair or remove it.") from exc
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields] + [CONFIG_VARIABLE]
    for variable in variables:
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            raise InvalidSettings(f"`{variable}` in `{path}` is no setting{_like(variable.upper(), known)}")
    return variables


def _from_toml(named: Path | None, folder: Path) -> Layer:
    """What the TOML file says: settings by their names, relative paths from where the file lies."""
    path = named or folder / CONFIG_FILE
    if named is None and not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise InvalidSettings(
            f"The configuration `{path}` cannot be read ({exc.strerror}); "
            f"check `--config` or `{CONFIG_VARIABLE}`."
        ) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidSettings(f"`{path}` is no TOML: {exc}; a line reads `port = 9000`.") from exc
    known = list(Settings.model_fields)
    for name in values:
        if name not in known:
            raise InvalidSettings(f"`{name}` in `{path}` is no setting{_like(name, known)}")
    return {name: (_placed(name, value, path.parent), str(path)) for name, value in values.items()}


def _placed(name: str, value: object, folder: Path) -> object:
    is_path = Path in (
        Settings.model_fields[name].annotation,
        *get_args(Settings.model_fields[name].annotation),
    )
    return folder / value if is_path and isinstance(value, str) else value


def _like(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean `{close[0]}`?" if close else "; `fer-gateway config` lists them."
