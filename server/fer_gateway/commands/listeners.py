"""The sockets that the gateway listens on, with advice where that fails."""

import errno
import socket

from fer_gateway.errors import CannotListen


def listening_socket(host: str, port: int, option: str = "--port") -> socket.socket:
    """A TCP socket that listens on this address; `option` is what chooses another port.

    Raises:
        CannotListen: the port is taken, or the address forbidden or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
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
