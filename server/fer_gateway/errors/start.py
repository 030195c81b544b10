"""What keeps the gateway from starting."""

from fer_gateway.errors.base import GatewayError


class StartError(GatewayError):
    """What keeps the gateway from starting; never seen by a client."""

    status = 500
    code = "start_error"
    title = "The gateway cannot start"


class InvalidSettings(StartError):
    """An option or a `FER_*` variable that does not fit."""

    status = 500
    code = "invalid_settings"
    title = "The settings are not valid"


class CannotListen(StartError):
    """An address that is taken, forbidden or not of this machine."""

    status = 500
    code = "cannot_listen"
    title = "The address cannot be listened on"
