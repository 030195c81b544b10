"""Every exception the gateway raises on purpose.

    GatewayError                      500 internal_error
    ├── ImageError
    │   ├── EmptyImage                400 empty_image
    │   ├── BodyTooLarge              413 body_too_large
    │   ├── TooManyPixels             413 too_many_pixels
    │   ├── UnsupportedImage          415 unsupported_image
    │   ├── DamagedImage              422 damaged_image
    │   ├── NoFaceFound               422 no_face_found
    │   ├── UnreadableFile            400 unreadable_file
    │   ├── InvalidArray              422 invalid_array
    │   ├── UnreadableVideo           422 unreadable_video
    │   └── AnalysisCrashed           500 analysis_crashed
    ├── RequestError
    │   ├── InvalidRequest            422 invalid_request
    │   ├── ProtocolViolation         400 protocol_violation
    │   ├── HostNotAllowed            421 host_not_allowed
    │   ├── OriginNotAllowed          403 origin_not_allowed
    │   ├── NotFound                  404 not_found
    │   ├── MethodNotAllowed          405 method_not_allowed
    │   ├── RequestTimeout            408 request_timeout
    │   ├── TokenRequired             401 token_required
    │   ├── TokenInvalid              401 token_invalid
    │   ├── TokenExpired              401 token_expired
    │   ├── ScopeMissing              403 scope_missing
    │   ├── PairingRefused            403 pairing_refused
    │   ├── UnknownDevice             404 unknown_device
    │   └── RateLimited               429 rate_limited
    ├── Unavailable
    │   ├── Busy                      503 busy
    │   ├── NotReady                  503 not_ready
    │   ├── Restarting                503 restarting
    │   ├── DevicesUnavailable        503 devices_unavailable
    │   ├── AnalysisTimeout           503 analysis_timeout
    │   ├── WorkersStuck              503 workers_stuck
    │   ├── DetectorUnavailable       503 detector_unavailable
    │   ├── ProviderUnavailable       503 provider_unavailable
    │   └── PowerUnknown              503 power_unknown
    ├── ModelError
    │   ├── ModelNotFound             503 model_not_found
    │   ├── InvalidModel              503 invalid_model
    │   └── SelfTestFailed            503 self_test_failed
    ├── PrivateFileError
    │   ├── InsecureFile              500 insecure_file
    │   ├── DamagedFile               500 damaged_file
    │   └── CannotWrite               500 cannot_write
    └── StartError
        ├── InvalidSettings           500 invalid_settings
        ├── InvalidCertificate        500 invalid_certificate
        ├── ExtraMissing              500 extra_missing
        └── CannotListen              500 cannot_listen

`status` is the HTTP status, `code` a stable identifier for programs, `title` a short sentence for people. The
message of an instance (`str(error)`) is the detail: what happened and what to do, literals in backticks.
"""

from fer_gateway.errors.access import (
    CannotWrite,
    DamagedFile,
    DevicesUnavailable,
    ExtraMissing,
    InsecureFile,
    InvalidCertificate,
    PairingRefused,
    PrivateFileError,
    RateLimited,
    ScopeMissing,
    TokenExpired,
    TokenInvalid,
    TokenRequired,
    UnknownDevice,
)
from fer_gateway.errors.base import (
    GatewayError,
)
from fer_gateway.errors.images import (
    AnalysisCrashed,
    BodyTooLarge,
    DamagedImage,
    EmptyImage,
    ImageError,
    InvalidArray,
    NoFaceFound,
    TooManyPixels,
    UnreadableFile,
    UnreadableVideo,
    UnsupportedImage,
)
from fer_gateway.errors.parts import (
    AnalysisTimeout,
    Busy,
    DetectorUnavailable,
    InvalidModel,
    ModelError,
    ModelNotFound,
    NotReady,
    PowerUnknown,
    ProviderUnavailable,
    Restarting,
    SelfTestFailed,
    Unavailable,
    WorkersStuck,
)
from fer_gateway.errors.requests import (
    HostNotAllowed,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    OriginNotAllowed,
    ProtocolViolation,
    RequestError,
    RequestTimeout,
)
from fer_gateway.errors.start import (
    CannotListen,
    InvalidSettings,
    StartError,
)

__all__ = [
    "AnalysisCrashed",
    "AnalysisTimeout",
    "BodyTooLarge",
    "Busy",
    "CannotListen",
    "CannotWrite",
    "DamagedFile",
    "DamagedImage",
    "DetectorUnavailable",
    "DevicesUnavailable",
    "EmptyImage",
    "ExtraMissing",
    "GatewayError",
    "HostNotAllowed",
    "ImageError",
    "InsecureFile",
    "InvalidArray",
    "InvalidCertificate",
    "InvalidModel",
    "InvalidRequest",
    "InvalidSettings",
    "MethodNotAllowed",
    "ModelError",
    "ModelNotFound",
    "NoFaceFound",
    "NotFound",
    "NotReady",
    "OriginNotAllowed",
    "PairingRefused",
    "PowerUnknown",
    "PrivateFileError",
    "ProtocolViolation",
    "ProviderUnavailable",
    "RateLimited",
    "RequestError",
    "RequestTimeout",
    "Restarting",
    "ScopeMissing",
    "SelfTestFailed",
    "StartError",
    "TokenExpired",
    "TokenInvalid",
    "TokenRequired",
    "TooManyPixels",
    "Unavailable",
    "UnknownDevice",
    "UnreadableFile",
    "UnreadableVideo",
    "UnsupportedImage",
    "WorkersStuck",
]
