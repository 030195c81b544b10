"""`fer-gateway config`: the settings that hold, and where each of them comes from."""

import argparse
import json

from fer_gateway.commands.options import configuration_from


def run(arguments: argparse.Namespace) -> int:
    """Print every setting with its source, as `serve` with the same options would take it."""
    rows = configuration_from(arguments).rows()
    if arguments.json:
        print(json.dumps({name: {"value": value, "source": source} for name, value, source in rows}))
        return 0
    names = max(len(name) for name, _, _ in rows)
    values = max(len(shown(value)) for _, value, _ in rows)
    for name, value, source in rows:
        print(f"{name:<{names}}  {shown(value):<{values}}  {source}")
    return 0


def shown(value: object) -> str:
    """A value as it is written in an environment variable."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)
