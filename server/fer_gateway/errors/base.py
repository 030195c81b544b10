"""The class that every error of the gateway is one of."""

from typing import ClassVar


class GatewayError(Exception):
    """Base of all errors that the gateway raises on purpose."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "The gateway failed"
