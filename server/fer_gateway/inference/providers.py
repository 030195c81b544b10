"""ONNX Runtime sessions: which execution providers, how many threads."""

from collections.abc import Sequence
from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from fer_gateway.errors import InvalidModel, ProviderUnavailable

CPU = "CPUExecutionProvider"

REFUSALS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
"""What ONNX Runtime raises where it cannot load or run a graph; these have no common base but `Exception`."""


def open_session(
    graph: bytes | Path, *, threads: int = 1, providers: Sequence[str] = (CPU,)
) -> onnxruntime.InferenceSession:
    """Load an ONNX graph, by its bytes or file, on these providers, the preferred first.

    It gets `threads` threads, which do not spin.

    Raises:
        ProviderUnavailable: unknown here, or known and not able to start.
        InvalidModel: not an ONNX graph that ONNX Runtime can run.
    """
    onnxruntime.disable_telemetry_events()  # where it was loaded before `fer_gateway` could see to it
    available = onnxruntime.get_available_providers()
    for provider in providers:
        if provider not in available:
            names = ", ".join(f"`{name}`" for name in available)
            raise ProviderUnavailable(f"ONNX Runtime has no `{provider}` here; choose from {names}.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads would spin for the next run, at full power, between two camera frames.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        source = str(graph) if isinstance(graph, Path) else graph
        session = onnxruntime.InferenceSession(source, options, providers=list(providers))
    except REFUSALS as exc:
        raise InvalidModel(f"ONNX Runtime cannot load the model: {exc}") from exc
    # ONNX Runtime falls back to the processor without an error; a slow surprise is worse than a message.
    if providers and providers[0] not in session.get_providers():
        raise ProviderUnavailable(f"`{providers[0]}` does not start here; choose `{CPU}`.")
    return session
