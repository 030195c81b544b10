"""`fer-gateway devices`: pair, list and revoke; the gateway need not run, and notices at once if it does."""

import argparse
import json
import sys
from urllib.parse import urlsplit

from fer_gateway.commands.options import settings_from
from fer_gateway.errors import InvalidSettings
from fer_gateway.lan.addresses import find_addresses, reachable
from fer_gateway.lan.devices import DEFAULT_SCOPES, SCOPES, Device, DeviceFile, Scope
from fer_gateway.lan.origins import gateway_origin, remembered_address
from fer_gateway.lan.qr import qr_text
from fer_gateway.settings import Settings

NAME_CHARACTERS = 64
MAX_DAYS = 3650


def run(arguments: argparse.Namespace) -> int:
    """Do one of the actions with the file of devices."""
    settings = settings_from(arguments)
    devices = DeviceFile(settings.devices_file)
    match arguments.action:
        case "list":
            _list(devices, as_json=arguments.json)
        case "revoke":
            device = devices.revoke(arguments.id)
            print(f"`{device.name}` is revoked; its token is worth nothing any more.", file=sys.stderr)
        case "add":
            _add(devices, arguments.name, _scopes(arguments), _days(arguments, settings))
        case "pair":
            origin = _origin(arguments.url, arguments.port, settings)
            _pair(devices, origin, settings.token_days, _scopes(arguments))
    return 0


def _list(devices: DeviceFile, *, as_json: bool) -> None:
    known = devices.list()
    if as_json:
        print(json.dumps([_members(device) for device in known]))
        return
    if not known:
        print("No device is paired; `fer-gateway devices pair` prints a code for one.", file=sys.stderr)
        return
    width = max(len(device.name) for device in known)
    for device in known:
        until = f"{device.expires:%Y-%m-%d}" + (" (over)" if device.is_expired else "")
        print(f"{device.id}  {device.name:<{width}}  {until:<17}  {', '.join(device.scopes)}")


def _add(devices: DeviceFile, name: str, scopes: tuple[Scope, ...], days: int) -> None:
    if not 0 < len(name) <= NAME_CHARACTERS or not name.isprintable():
        raise InvalidSettings(f"A name has 1 to {NAME_CHARACTERS} characters, none of them for control.")
    if not 0 < days <= MAX_DAYS:
        raise InvalidSettings(f"`--days` is 1 to {MAX_DAYS}.")
    device, token = devices.add(name, scopes, days)
    print(token)
    print(
        f"The token of `{device.name}` ({', '.join(scopes)}), good until {device.expires:%Y-%m-%d}. "
        f"It is not shown again; revoke it with `fer-gateway devices revoke {device.id}`.",
        file=sys.stderr,
    )


def _origin(url: str | None, port: str | None, settings: Settings) -> str:
    """Where the device finds the gateway: as told, where one with `--lan` serves, or as the settings say."""
    if url is not None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
            raise InvalidSettings(f"`{url}` for `--url` is no origin; one reads `https://faces.example.org`.")
        return f"{parts.scheme}://{parts.netloc}"
    known = None if port else remembered_address(settings.data_folder)
    if known is not None:
        settings = settings.model_copy(update={"lan": True, "host": known[0], "port": known[1]})
    addresses = reachable(settings.host, find_addresses()) if settings.lan else ()
    return gateway_origin(settings, settings.port, addresses)


def _pair(devices: DeviceFile, origin: str, token_days: int, scopes: tuple[Scope, ...]) -> None:
    _, code = devices.open_pairing(scopes, token_days)
    url = f"{origin}/pair#{code}"
    print(url)
    if sys.stdout.isatty():
        print(qr_text(url))
    print(
        f"Open this on the device, or {origin}/pair and enter {code}. Good for ten minutes and one device, "
        f"for {', '.join(scopes)}.",
        file=sys.stderr,
    )


def _scopes(arguments: argparse.Namespace) -> tuple[Scope, ...]:
    if arguments.admin:
        return SCOPES
    return tuple(dict.fromkeys(arguments.scopes or DEFAULT_SCOPES))


def _days(arguments: argparse.Namespace, settings: Settings) -> int:
    return settings.token_days if arguments.days is None else int(arguments.days)


def _members(device: Device) -> dict[str, object]:
    return device.model_dump(mode="json", exclude={"token_sha256"}) | {"expired": device.is_expired}
