"""What can be wrong with a request or a stream."""

from fer_gateway.errors.base import GatewayError


class RequestError(GatewayError):
    """A request that the gateway refuses."""

    status = 400
    code = "request_error"
    title = "The request is refused"


class InvalidRequest(RequestError):
    """Parameters or a body that do not fit the documented form."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid"


class ProtocolViolation(RequestError):
    """A WebSocket message that does not fit `fer.v1`."""

    status = 400
    code = "protocol_violation"
    title = "The message does not follow fer.v1"


class HostNotAllowed(RequestError):
    """A `Host` header outside the allow-list (a guard against DNS rebinding)."""

    status = 421
    code = "host_not_allowed"
    title = "This host name is not allowed"


class OriginNotAllowed(RequestError):
    """A request made by a page of another origin."""

    status = 403
    code = "origin_not_allowed"
    title = "This origin is not allowed"


class NotFound(RequestError):
    """Nothing lives at this path."""

    status = 404
    code = "not_found"
    title = "Not found"


class MethodNotAllowed(RequestError):
    """The path exists, but not for this method."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


class RequestTimeout(RequestError):
    """A client that sends or reads too slowly."""

    status = 408
    code = "request_timeout"
    title = "The client is too slow"
