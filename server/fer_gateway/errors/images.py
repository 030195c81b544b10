"""What can be wrong with an image."""

from fer_gateway.errors.base import GatewayError


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


class InvalidArray(ImageError):
    """An array that is no picture."""

    status = 422
    code = "invalid_array"
    title = "The array is no picture"


class UnreadableVideo(ImageError):
    """A video file or camera that gives no picture."""

    status = 422
    code = "unreadable_video"
    title = "The video cannot be read"


class AnalysisCrashed(ImageError):
    """An image whose analysis ended the process that it was in."""

    status = 500
    code = "analysis_crashed"
    title = "The analysis ended its process"
