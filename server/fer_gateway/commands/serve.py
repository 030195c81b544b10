"""`fer-gateway serve`: the page and the API on one port."""

import argparse
import errno
import logging
import socket

import uvicorn

from fer_gateway import __version__
from fer_gateway.api.app import create_app
from fer_gateway.api.gateway import open_analyzer
from fer_gateway.api.server import server_config
from fer_gateway.commands.options import settings_from
from fer_gateway.errors import CannotListen
from fer_gateway.settings import LOOPBACK, WILDCARDS, Settings
from fer_gateway.vision.opencv import configure_opencv

log = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    The port is taken first, then the model is opened: an error of either is one line, and once the greeting
    is printed the gateway can be called.
    """
    settings = settings_from(arguments)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if settings.log_level == "info":  # at which uvicorn tells of its process and its phases
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
    configure_opencv()
    with listening_socket(settings.host, settings.port) as listener:
        analyzer = open_analyzer(settings)
        warning = analyzer.cascade_warning()
        if warning:
            log.warning("%s", warning)
        app = create_app(settings, open_analyzer=lambda _: analyzer)
        server = uvicorn.Server(server_config(app, settings))
        print(greeting(settings, listener.getsockname()[1]), flush=True)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:  # uvicorn has shut down in order, then passes the signal on
            return 0
    return 0 if server.started else 1


def listening_socket(host: str, port: int) -> socket.socket:
    """A TCP socket that listens on this address.

    Raises:
        CannotListen: the port is taken, or the address forbidden or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as exc:
        raise CannotListen(_advice(exc, host, port)) from exc


def greeting(settings: Settings, port: int) -> str:
    """What to print once the gateway can be called: the address and what to do next."""
    address = f"http://{_name(settings.host)}:{port}"
    lines = [
        f"fer-gateway {__version__} serves at {address}",
        "  Page  open it in a browser, start the camera and allow it",
        f"  API   curl --data-binary @photo.jpg {address}/api/v1/analyze",
        f"  Docs  {address}/docs",
    ]
    if settings.host not in LOOPBACK:
        lines += [
            "  Note  Browsers give the camera only to http://localhost and to HTTPS: on other devices the",
            "        page needs a proxy with a certificate. Allow its name with `--allowed-host NAME`.",
        ]
    return "\n".join([*lines, "  Stop  Ctrl+C"])


def _name(host: str) -> str:
    """The host part of the address to open in a browser on this machine."""
    if host in (*LOOPBACK, *WILDCARDS):
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _advice(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port `{port}` of `{host}` is in use; stop the program that uses it, "
            f"or choose another with `--port {port + 1 if port < 65535 else 8000}`."
        )
    if error.errno == errno.EACCES:
        return f"Port `{port}` needs more rights; choose one above 1023, for example `--port 8000`."
    return (
        f"`{host}` is no address of this machine ({error.strerror}); use `--host 127.0.0.1` "
        "for this machine only or `--host 0.0.0.0` for the network."
    )
