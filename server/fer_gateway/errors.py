"""Every exception the gateway raises on purpose.

    GatewayError                      500 internal_error
    ├── ImageError
    │   ├── EmptyImage                400 empty_image
    │   ├── BodyTooLarge              413 body_too_large
    │   ├── TooManyPixels             413 too_many_pixels
    │   ├── UnsupportedImage          415 unsupported_image
    │   ├── DamagedImage              422 damaged_image
    │   ├── NoFaceFound               422 no_face_found
    │   └── UnreadableFile            400 unreadable_file
    ├── RequestError
    │   ├── InvalidRequest            422 invalid_request
    │   ├── ProtocolViolation         400 protocol_violation
    │   ├── HostNotAllowed            421 host_not_allowed
    │   ├── OriginNotAllowed          403 origin_not_allowed
    │   ├── NotFound                  404 not_found
    │   ├── MethodNotAllowed          405 method_not_allowed
    │   └── RequestTimeout            408 request_timeout
    ├── Unavailable
    │   ├── Busy                      503 busy
    │   ├── NotReady                  503 not_ready
    │   ├── DetectorUnavailable       503 detector_unavailable
    │   └── ProviderUnavailable       503 provider_unavailable
    ├── ModelError
    │   ├── ModelNotFound             503 model_not_found
    │   ├── InvalidModel              503 invalid_model
    │   └── SelfTestFailed            503 self_test_failed
    └── StartError
        ├── InvalidSettings           500 invalid_settings
        └── CannotListen              500 cannot_listen

`status` is the HTTP status, `code` a stable identifier for programs, `title` a short sentence for people. The
message of an instance (`str(error)`) is the detail: what happened and what to do, literals in backticks.
"""

from typing import ClassVar


class GatewayError(Exception):
    """Base of all errors that the gateway raises on purpose."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "The gateway failed"


class ImageError(GatewayError):
    """An image that cannot be analysed."""

    status = 400
    code = "image_error"
    title = "The image cannot be analysed"


class EmptyImage(ImageError):
    """A body or file without a single byte."""

    status = 400
    code = "empty_image"
    title = "The image is empty"


class BodyTooLarge(ImageError):
    """More bytes than the gateway accepts."""

    status = 413
    code = "body_too_large"
    title = "The body is too large"


class TooManyPixels(ImageError):
    """A header that announces more pixels than the gateway decodes."""

    status = 413
    code = "too_many_pixels"
    title = "The image has too many pixels"


class UnsupportedImage(ImageError):
    """Bytes that are not a JPEG, PNG or WebP image."""

    status = 415
    code = "unsupported_image"
    title = "Not a supported image"


class DamagedImage(ImageError):
    """An image whose header or pixels cannot be decoded."""

    status = 422
    code = "damaged_image"
    title = "The image is damaged"


class NoFaceFound(ImageError):
    """An image without a face, where one is needed."""

    status = 422
    code = "no_face_found"
    title = "No face was found"


class UnreadableFile(ImageError):
    """An image file that is not there or may not be read."""

    status = 400
    code = "unreadable_file"
    title = "The file cannot be read"


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


class Unavailable(GatewayError):
    """A part of the gateway that cannot serve right now."""

    status = 503
    code = "unavailable"
    title = "The gateway is unavailable"


class Busy(Unavailable):
    """Every place for a request or a stream is taken."""

    status = 503
    code = "busy"
    title = "The gateway is busy"


class NotReady(Unavailable):
    """The gateway is starting or draining."""

    status = 503
    code = "not_ready"
    title = "The gateway is not ready"


class DetectorUnavailable(Unavailable):
    """OpenCV without Haar cascades, or without their file."""

    status = 503
    code = "detector_unavailable"
    title = "The face detector is unavailable"


class ProviderUnavailable(Unavailable):
    """An ONNX Runtime execution provider that does not exist or does not start here."""

    status = 503
    code = "provider_unavailable"
    title = "The execution provider is unavailable"


class ModelError(GatewayError):
    """A model that cannot serve."""

    status = 503
    code = "model_error"
    title = "The model cannot be used"


class ModelNotFound(ModelError):
    """No file at the model's path."""

    status = 503
    code = "model_not_found"
    title = "The model file is missing"


class InvalidModel(ModelError):
    """A file that is no ONNX model of ours, or whose card contradicts its graph."""

    status = 503
    code = "invalid_model"
    title = "The model file is not valid"


class SelfTestFailed(ModelError):
    """A model that loads, but answers differently on this machine than where it was exported."""

    status = 503
    code = "self_test_failed"
    title = "The model failed its self-test"


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
