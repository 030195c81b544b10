"""The sockets that the gateway listens on, with advice where that fails."""

import errno
import socket
import sys
from contextlib import suppress
from typing import Any

from fer_gateway.api.patience import MAX_CONNECTIONS
from fer_gateway.errors import CannotListen

if sys.platform != "win32":
    import resource

MAX_OPEN = MAX_CONNECTIONS + 64
"""Connections that are taken; those above `MAX_CONNECTIONS` hear why they get no more."""

OTHER_FILES = 256
"""That a process may have open besides: the model, its log, answers of other programs."""


class Listener(socket.socket):
    """A listening socket that closes what comes while `MAX_OPEN` of its connections are open.

    The limits of HTTP count connections once they have made a request, or a TLS handshake. Before, only the
    files that a process may open would limit them, and with the last one nobody gets in.
    """

    def __init__(self, plain: socket.socket) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self._accepted = set[socket.socket]()

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection, and where it is from; `ConnectionAbortedError` where there is no room."""
        connection, address = super().accept()
        self._accepted = {one for one in self._accepted if one.fileno() != -1}
        if len(self._accepted) >= MAX_OPEN:
            connection.close()
            raise ConnectionAbortedError(errno.ECONNABORTED, "too many connections")
        self._accepted.add(connection)
        return connection, address


def allow_open_files() -> None:
    """Let this process open as many files as the connections that it takes, where the system lets it."""
    if sys.platform == "win32":
        return
    with suppress(ValueError, OSError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MAX_OPEN + OTHER_FILES
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def listening_socket(host: str, port: int, option: str = "--port") -> Listener:
    """A TCP socket that listens on this address; `option` is what chooses another port.

    Raises:
        CannotListen: the port is taken, or the address forbidden or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return Listener(socket.create_server((host, port), family=family, backlog=128))
    except OSError as exc:
        raise CannotListen(_advice(exc, host, port, option)) from exc


def _advice(error: OSError, host: str, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port `{port}` of `{host}` is in use; stop the program that uses it, "
            f"or choose another with `{option} {port + 1 if port < 65535 else 8000}`."
        )
    if error.errno == errno.EACCES:
        return f"Port `{port}` needs more rights; choose one above 1023, for example `{option} 8000`."
    return (
        f"`{host}` is no address of this machine ({error.strerror}); use `--host 127.0.0.1` "
        "for this machine only or `--host 0.0.0.0` for the network."
    )
