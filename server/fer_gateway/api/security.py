"""Who may talk to the gateway, and what its pages may do: pure ASGI middlewares."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fer_gateway.api.problems import problem_members, problem_response
from fer_gateway.errors import HostNotAllowed, OriginNotAllowed, RequestError

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PROBES = ("/api/v1/health", "/api/v1/ready")
"""What load balancers ask by whatever name; they hear whether the gateway is up, and no more."""
UNKNOWN_HOST = "fer_gateway.unknown_host"
"""Where such a request is marked in its scope."""
DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "worker-src 'self'",
        "manifest-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
ALLOWED_FEATURES = ("camera", "fullscreen", "screen-wake-lock")
DENIED_FEATURES = (
    "accelerometer",
    "browsing-topics",
    "clipboard-read",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "keyboard-map",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
PERMISSIONS_POLICY = ", ".join(
    (
        *(f"{feature}=(self)" for feature in ALLOWED_FEATURES),
        *(f"{feature}=()" for feature in DENIED_FEATURES),
    )
)
RESPONSE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": PERMISSIONS_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Authority(NamedTuple):
    """The host and port of a `Host` or `Origin` header; the host in lower case, without brackets."""

    host: str
    port: int | None


class SecurityHeaders:
    """Puts `RESPONSE_HEADERS` on every response that does not state its own, errors among them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in RESPONSE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class HostGuard:
    """Refuses every `Host` that the gateway is not known by.

    A page whose own name is made to resolve to this machine (DNS rebinding) sends that name. Served are the
    loopback names, `allowed_hosts`, and the address that the connection came in on, which is no name at all.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str]) -> None:
        self._app = app
        self._allowed = {host.lower().strip("[]") for host in (*LOOPBACK_HOSTS, *allowed_hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        values = Headers(scope=scope).getlist("host")
        if len(values) == 1 and self._is_allowed(values[0], scope):
            return await self._app(scope, receive, send)
        if scope["path"] in PROBES and scope["type"] == "http":
            scope[UNKNOWN_HOST] = True  # the same scope: what counts requests looks into it afterwards
            return await self._app(scope, receive, send)
        told = ", ".join(f"`{value}`" for value in values) or "no host"
        detail = f"The request is for {told}. If this name is yours, add it to `FER_ALLOWED_HOSTS`."
        return await refuse(HostNotAllowed(detail), scope, receive, send)

    def _is_allowed(self, value: str, scope: Scope) -> bool:
        try:
            host = parse_authority(value).host
        except ValueError:
            return False
        return host in self._allowed or host == _local_address(scope)


class OriginGuard:
    """Refuses WebSockets and unsafe methods that come from pages of other sites.

    Browsers open WebSockets and post simple forms across sites without asking, but they always say where the
    page is from. A request without `Origin` is not from a page.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Iterable[str]) -> None:
        self._app = app
        self._allowed = set(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan" or scope.get("method") in SAFE_METHODS:
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        origins = headers.getlist("origin")
        if all(self._is_allowed(origin, headers.get("host", "")) for origin in origins):
            return await self._app(scope, receive, send)
        detail = f"The page is from `{', '.join(origins)}`. If you trust it, add it to `FER_ALLOWED_ORIGINS`."
        return await refuse(OriginNotAllowed(detail), scope, receive, send)

    def _is_allowed(self, origin: str, host: str) -> bool:
        return origin.lower() in self._allowed or is_same_origin(origin, host)


def is_same_origin(origin: str, host: str) -> bool:
    """Whether an `Origin` names the host and port of a `Host`; a missing port is the scheme's."""
    scheme, separator, authority = origin.partition("://")
    if not separator or scheme not in DEFAULT_PORTS:
        return False
    try:
        theirs, ours = parse_authority(authority), parse_authority(host)
    except ValueError:
        return False
    default = DEFAULT_PORTS[scheme]
    return (theirs.host, theirs.port or default) == (ours.host, ours.port or default)


def parse_authority(value: str) -> Authority:
    """`host[:port]` as it stands in a `Host` header.

    Raises:
        ValueError: anything else.
    """
    parts = urlsplit(f"//{value}")
    if not parts.hostname or parts.netloc != value or "@" in value or " " in value:
        raise ValueError(f"`{value}` is no `host:port`")
    return Authority(parts.hostname, parts.port)


async def refuse(error: RequestError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a problem; for a WebSocket instead of the upgrade, where the server can."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    await problem_response(problem_members(error, scope["path"]))(scope, receive, send)


def _local_address(scope: Scope) -> str | None:
    """The IP address of this machine that the connection came in on; sockets in files have none."""
    server = scope.get("server")
    if server is None:
        return None
    try:
        address = ipaddress.ip_address(server[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
