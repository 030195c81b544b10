"""The fields of an experiment, as the TOML file of their defaults, for people who write one."""

import json
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from fer_training.learning.config import ExperimentConfig

_HEAD = """\
# An experiment: its fields with their defaults, the values allowed, and what they are. Leave out what stays
# as it is. What stands behind a `#` has no default. Without `[model]`, `train --weights` takes the shape of
# the weights.
"""
_BOUNDS: Mapping[str, str] = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "up to {}",
    "exclusiveMaximum": "below {}",
}
"""What JSON Schema calls them, and in words."""
_COLUMN = 28
_WIDTH = 110


def as_toml() -> str:
    """Read by `load_config`, it is the experiment of all defaults."""
    schema = ExperimentConfig.model_json_schema()
    fields: Mapping[str, Mapping[str, Any]] = schema["properties"]
    tables = {
        name: reference.rsplit("/", 1)[-1] for name in fields if (reference := _reference(fields[name]))
    }
    lines = [_HEAD, *_lines({name: field for name, field in fields.items() if name not in tables})]
    for name, table in tables.items():
        optional = "$ref" not in fields[name]
        lines += [
            "",
            _commented(f"[{name}]", optional),
            *_lines(schema["$defs"][table]["properties"], optional),
        ]
    return "\n".join(lines) + "\n"


def _lines(fields: Mapping[str, Mapping[str, Any]], optional: bool = False) -> Iterator[str]:
    for name, field in fields.items():
        value = json.dumps(field["default"]) if "default" in field else _example(field)
        line = _commented(f"{name} = {value}", optional or "default" not in field)
        said = ": ".join(filter(None, (_allowed(field), field["description"])))
        first, *others = wrap(said, _WIDTH - _COLUMN - 2)
        yield f"{line:<{_COLUMN}}# {first}"
        yield from (f"{'':<{_COLUMN}}# {other}" for other in others)


def _commented(line: str, out: bool) -> str:
    return f"# {line}" if out else line


def _example(field: Mapping[str, Any]) -> str:
    return '["..."]' if field["type"] == "array" else '"..."'


def _reference(field: Mapping[str, Any]) -> str:
    """Of a table, where its fields are described; empty for a plain field."""
    options = [field, *field.get("anyOf", ())]
    return next((option["$ref"] for option in options if "$ref" in option), "")


def _allowed(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(map(json.dumps, field["enum"]))
    return ", ".join(words.format(field[key]) for key, words in _BOUNDS.items() if key in field)
