"""What can be wrong with the parts of the gateway: busy, missing, or a model that cannot serve."""

from fer_gateway.errors.base import GatewayError


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


class Restarting(Unavailable):
    """A gateway that stops, or a stream that has to begin anew."""

    status = 503
    code = "restarting"
    title = "The gateway is restarting"


class AnalysisTimeout(Unavailable):
    """An analysis that took so long that nobody waits for it any more."""

    status = 503
    code = "analysis_timeout"
    title = "The analysis took too long"


class WorkersStuck(Unavailable):
    """So many analyses hang that the gateway has to start again."""

    status = 503
    code = "workers_stuck"
    title = "The gateway hangs"


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


class PowerUnknown(Unavailable):
    """A phone that does not tell its charge and temperature."""

    status = 503
    code = "power_unknown"
    title = "The state of the battery is unknown"


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
