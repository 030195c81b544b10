"""`/api/v1/pair` and `/api/v1/devices`: codes become tokens, and devices are listed and revoked."""

from collections.abc import Mapping
from typing import Any, TypeVar

import anyio.to_thread
from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from fer_gateway.api.access import ACCESS_ERRORS, access_of, address_of, is_forwarded, readable, require
from fer_gateway.api.body import read_body
from fer_gateway.api.deps import GatewayDependency
from fer_gateway.api.gateway import Gateway
from fer_gateway.api.pictures import documented
from fer_gateway.api.security import LOOPBACK_HOSTS, parse_authority
from fer_gateway.errors import (
    BodyTooLarge,
    DevicesUnavailable,
    GatewayError,
    HostNotAllowed,
    InvalidRequest,
    OriginNotAllowed,
    PairingRefused,
    RateLimited,
    RequestTimeout,
    UnknownDevice,
)
from fer_gateway.lan.addresses import find_addresses, is_loopback, reachable
from fer_gateway.lan.devices import DEFAULT_SCOPES, Device, Name, Scopes
from fer_gateway.lan.origins import gateway_origin
from fer_gateway.lan.qr import qr_image

MAX_BODY_BYTES = 4096
BODY_ERRORS = (OriginNotAllowed, RequestTimeout, BodyTooLarge, InvalidRequest)

Model = TypeVar("Model", bound=BaseModel)


class PairBody(BaseModel):
    """What a device sends to be paired."""

    code: str = Field(
        max_length=64, description="As the gateway shows it; case and dashes do not matter.",
        examples=["7KQF-M2XD-90RT"],
    )  # fmt: skip
    name: Name = Field(description="What to list the device as.", examples=["Pixel 9"])


class CodeBody(BaseModel):
    """What a device that gets a code may do once it is paired."""

    scopes: Scopes = Field(default=DEFAULT_SCOPES, description="What its token is for.")


class DeviceBody(BaseModel):
    """A paired device; its token is told once, when it is paired."""

    id: str = Field(description="To revoke it by.", examples=["5f0c1e9a"])
    name: str = Field(examples=["Pixel 9"])
    scopes: Scopes
    created: AwareDatetime
    expires: AwareDatetime
    expired: bool = Field(description="Whether its time is over.")


class PairedBody(BaseModel):
    """A device and its token."""

    token: str = Field(
        description="For `Authorization: Bearer` and `hello`; keep it secret. It is not told again.",
        examples=["fer_UWbW6Rv0Y5r9cTt3b1xq3v0m1kXb0o8m7yqjz0cD2Hc"],
    )
    device: DeviceBody


class DevicesBody(BaseModel):
    """Every paired device."""

    devices: list[DeviceBody]


class OpenCodeBody(BaseModel):
    """A pairing code, good for one device and ten minutes."""

    code: str = Field(examples=["7KQF-M2XD-90RT"])
    expires: AwareDatetime
    url: str = Field(
        description="Opens the page that pairs; the code is in its fragment, which is sent nowhere."
    )
    qr: str | None = Field(description="A QR code of `url` as an SVG `data:` URL; null without `segno`.")


def json_body(model: type[BaseModel]) -> Mapping[str, Any]:
    """How a body is documented that is read by hand: FastAPI would read one of any size."""
    return {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}


router = APIRouter(prefix="/api/v1", responses=documented(HostNotAllowed, GatewayError))
for_admins = Depends(require("admin", always=True))


@router.post(
    "/pair",
    operation_id="pair",
    status_code=201,
    openapi_extra={"requestBody": dict(json_body(PairBody))},
    responses=documented(*BODY_ERRORS, PairingRefused, RateLimited, DevicesUnavailable),
)
async def pair(request: Request, response: Response, gateway: GatewayDependency) -> PairedBody:
    """Exchange a pairing code for a token. It takes a few tries a minute; from others only over HTTPS."""
    access = access_of(request)
    access.count_pairing(address_of(request))
    if request.url.scheme != "https" and not stays_here(request):
        raise PairingRefused(
            "Over plain HTTP others can read the token. Serve with `--lan`, or make a token with "
            "`fer-gateway devices add` and carry it over yourself."
        )
    wanted = await read_json(request, PairBody, gateway.settings.receive_timeout_s)
    with readable():
        device, token = await anyio.to_thread.run_sync(access.devices.pair, wanted.code, wanted.name)
    response.headers["Cache-Control"] = "no-store"
    return PairedBody(token=token, device=shown(device))


@router.get(
    "/devices",
    operation_id="devices",
    dependencies=[for_admins],
    responses=documented(*ACCESS_ERRORS),
)
async def list_devices(request: Request) -> DevicesBody:
    """Every paired device. Needs a token for `admin`, on this machine too."""
    with readable():
        return DevicesBody(devices=[shown(device) for device in access_of(request).devices.list()])


@router.delete(
    "/devices/{device_id}",
    operation_id="revoke_device",
    status_code=204,
    dependencies=[for_admins],
    responses=documented(*ACCESS_ERRORS, OriginNotAllowed, UnknownDevice, InvalidRequest),
)
async def revoke_device(device_id: str, request: Request) -> None:
    """Revoke the token of a device; its streams end at their next frame."""
    with readable():
        await anyio.to_thread.run_sync(access_of(request).devices.revoke, device_id)


@router.post(
    "/devices/codes",
    operation_id="make_code",
    status_code=201,
    dependencies=[for_admins],
    openapi_extra={"requestBody": dict(json_body(CodeBody))},
    responses=documented(*ACCESS_ERRORS, *BODY_ERRORS),
)
async def make_code(request: Request, response: Response, gateway: GatewayDependency) -> OpenCodeBody:
    """Make a pairing code for another device."""
    settings = gateway.settings
    wanted = await read_json(request, CodeBody, settings.receive_timeout_s)
    with readable():
        kept, code = await anyio.to_thread.run_sync(
            access_of(request).devices.open_pairing, wanted.scopes, settings.token_days
        )
    url = f"{origin_for_others(request, gateway)}/pair#{code}"
    response.headers["Cache-Control"] = "no-store"
    return OpenCodeBody(code=code, expires=kept.expires, url=url, qr=qr_image(url))


async def read_json(request: Request, model: type[Model], timeout_s: float) -> Model:
    """The body of a request as a model.

    Raises:
        BodyTooLarge, RequestTimeout: see `read_body`.
        InvalidRequest: it does not fit; the message says where, and repeats nothing, as codes are secrets.
    """
    body = await read_body(request, max_bytes=MAX_BODY_BYTES, timeout_s=timeout_s)
    try:
        return model.model_validate_json(body)
    except ValidationError as exc:
        faults = exc.errors(include_url=False, include_input=False)
        told = [f"`{'.'.join(map(str, fault['loc'])) or 'body'}`: {fault['msg']}" for fault in faults]
        raise InvalidRequest("; ".join(told)) from None


def shown(device: Device) -> DeviceBody:
    """A device without what its token is known by."""
    return DeviceBody(**device.model_dump(exclude={"token_sha256"}), expired=device.is_expired)


def stays_here(request: Request) -> bool:
    """Whether what is answered over plain HTTP crosses no network on its way.

    A published port of a container is asked as `localhost`, and comes from an address that is not.
    """
    host = parse_authority(request.headers["host"]).host
    return (is_loopback(address_of(request)) or host in LOOPBACK_HOSTS) and not is_forwarded(request)


def origin_for_others(request: Request, gateway: Gateway) -> str:
    """Where another device finds the gateway: as this one did, unless that was by a name for itself."""
    host, settings = request.headers["host"], gateway.settings
    if parse_authority(host).host not in LOOPBACK_HOSTS:
        return f"{request.url.scheme}://{host}"
    return gateway_origin(settings, request.scope["server"][1], reachable(settings.host, find_addresses()))
