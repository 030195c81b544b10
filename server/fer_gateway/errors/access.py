"""Who may not do something, and what keeps the gateway from telling."""

from fer_gateway.errors.base import GatewayError
from fer_gateway.errors.parts import Unavailable
from fer_gateway.errors.requests import RequestError
from fer_gateway.errors.start import StartError


class TokenRequired(RequestError):
    """A request without a token, where one is needed."""

    status = 401
    code = "token_required"
    title = "A token is needed"


class TokenInvalid(RequestError):
    """A token that was never given out, or was revoked."""

    status = 401
    code = "token_invalid"
    title = "The token is not valid"


class TokenExpired(RequestError):
    """A token whose time is over."""

    status = 401
    code = "token_expired"
    title = "The token has expired"


class ScopeMissing(RequestError):
    """A token that was given out for something else."""

    status = 403
    code = "scope_missing"
    title = "The token is not for this"


class PairingRefused(RequestError):
    """A pairing code that is wrong, used or too old, or one sent where others can read it."""

    status = 403
    code = "pairing_refused"
    title = "The device is not paired"


class RateLimited(RequestError):
    """More requests from one client than it may send."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, detail: str, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        """Seconds after which it is worth trying again."""


class DevicesUnavailable(Unavailable):
    """The paired devices cannot be looked up, so nobody is let in."""

    status = 503
    code = "devices_unavailable"
    title = "The paired devices cannot be read"


class PrivateFileError(GatewayError):
    """A file with keys or devices that cannot be relied on."""

    status = 500
    code = "private_file_error"
    title = "A private file cannot be used"


class InsecureFile(PrivateFileError):
    """A file with keys or devices that others can read or change."""

    status = 500
    code = "insecure_file"
    title = "Others can get at a private file"


class DamagedFile(PrivateFileError):
    """A file with keys or devices that does not hold what it should."""

    status = 500
    code = "damaged_file"
    title = "A private file is damaged"


class CannotWrite(PrivateFileError):
    """A file that cannot be written: a full disk, a folder without rights."""

    status = 500
    code = "cannot_write"
    title = "A file cannot be written"


class InvalidCertificate(StartError):
    """A certificate or key that HTTPS cannot be served with."""

    status = 500
    code = "invalid_certificate"
    title = "The certificate cannot be used"


class ExtraMissing(StartError):
    """A package that only some commands need, and that is not installed."""

    status = 500
    code = "extra_missing"
    title = "A package is missing"


class UnknownDevice(RequestError):
    """No paired device has this id."""

    status = 404
    code = "unknown_device"
    title = "No such device"
