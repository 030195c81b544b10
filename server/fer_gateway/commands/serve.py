"""`fer-gateway serve`: the page and the API on one port."""

import argparse
import logging
import os
import signal
import sys
import threading
from contextlib import ExitStack
from typing import NoReturn

from fer_gateway import __version__
from fer_gateway.api.app import create_app
from fer_gateway.api.gateway import Gateway, open_analyzer
from fer_gateway.api.server import server_for
from fer_gateway.commands.front import Front, open_front
from fer_gateway.commands.listeners import allow_open_files, listening_socket
from fer_gateway.commands.options import settings_from
from fer_gateway.logs import configure_logging
from fer_gateway.memory import lean_loading, one_heap
from fer_gateway.vision.opencv import configure_opencv

log = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    The port is taken first, then the model is opened: an error of either is one line, and once the greeting
    is printed the gateway can be called.
    """
    settings = settings_from(arguments)
    configure_logging(settings)
    configure_opencv()
    allow_open_files()
    with ExitStack() as stack:
        listener = stack.enter_context(listening_socket(settings.host, settings.port))
        port = listener.getsockname()[1]
        front = open_front(settings, port, stack)
        one_heap()
        with lean_loading():
            analyzer = open_analyzer(settings)
        warning = analyzer.cascade_warning()
        if warning:
            log.warning("%s", warning)
        app = create_app(settings, analyzer=analyzer)
        del analyzer  # the gateway lets go of it once another model answers
        server = server_for(app, settings)
        gateway: Gateway = app.state.gateway
        reload_on_hangup(gateway)
        stuck = threading.Event()

        def stop() -> None:
            stuck.set()
            server.should_exit = True

        gateway.when_stuck(stop)
        front.secure(server.config)
        print(greeting(front), flush=True)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:  # uvicorn has shut down in order, then passes the signal on
            return 0
    if stuck.is_set():
        start_again(port)
    return 0 if server.started else 1


def start_again(port: int) -> NoReturn:
    """Replace this process by a new one with its number, command and port; threads that hang go with the old.

    The last `--port` counts. One that the system chose must stay the same, for clients come back to it.
    """
    log.error("analyses hang: the gateway starts again")
    logging.shutdown()
    arguments, there = sys.orig_argv[1:], ["--port", str(port)]
    arguments += [] if arguments[-2:] == there else there
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - the command that started it


def reload_on_hangup(gateway: Gateway) -> None:
    """Let SIGHUP open the model again; at a terminal it keeps its meaning, that the terminal is gone."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and not (sys.stdin and os.isatty(sys.stdin.fileno())):
        signal.signal(hangup, lambda *_: gateway.reload_soon())


def greeting(front: Front) -> str:
    """What to print once the gateway can be called: the address and what to do next."""
    return "\n".join(
        (
            f"fer-gateway {__version__} serves at {front.origin}",
            "  Page  open it in a browser, start the camera and allow it",
            f"  API   curl {front.curl_options}--data-binary @photo.jpg {front.origin}/api/v1/analyze",
            f"  Docs  {front.origin}/docs",
            *front.notes,
            "  Stop  Ctrl+C",
            *front.pictures,
        )
    )
