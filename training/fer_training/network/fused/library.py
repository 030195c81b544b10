"""The passes of `kernels.cpp`, compiled for this processor when they are first needed, on tensors.

Maps are bfloat16, N x H x W x C, contiguous; values of channels (C) are float32. One thread each: let several
processes work side by side.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from fer_training.errors import ConfigError

SOURCE = Path(__file__).with_name("kernels.cpp")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-shared", "-fPIC")
COMPILERS = ("c++", "g++", "clang++")


class _Shape(ctypes.Structure):
    """`Shape` of a depthwise convolution."""

    _fields_ = [
        (name, ctypes.c_int64)
        for name in ("height", "width", "channels", "out_height", "out_width", "stride")
    ]


def require() -> None:
    """Compile now.

    Raises:
        ConfigError: there is no compiler, or it fails; or this processor does not multiply in bfloat16.
    """
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():  # noqa: SLF001, as PyTorch itself asks
        raise ConfigError(
            "`--kernels fused` computes in bfloat16, which this processor does not support; leave it out"
        )
    _library()


@cache
def _library() -> ctypes.CDLL:
    compiler = os.environ.get("CXX") or next(filter(shutil.which, COMPILERS), None)
    if compiler is None:
        raise ConfigError(
            f"`--kernels fused` needs a C++ compiler, one of {', '.join(COMPILERS)} "
            "(Debian, Ubuntu: `apt-get install g++`), or set `CXX`"
        )
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "kernels.so"
        command = [compiler, *FLAGS, str(SOURCE), "-o", str(built)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603, as CXX names it
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            raise ConfigError(f"`{' '.join(command)}` failed: {said.strip()}") from error
        return ctypes.CDLL(str(built))


def _pointer(tensor: Tensor | None) -> ctypes.c_void_p:
    if tensor is None:
        return ctypes.c_void_p(None)
    assert tensor.is_contiguous()  # noqa: S101, or what is read is not what is meant
    return ctypes.c_void_p(tensor.data_ptr())


def _rows(y: Tensor) -> tuple[ctypes.c_int64, ctypes.c_int64]:
    channels = y.shape[-1]
    return ctypes.c_int64(y.numel() // channels), ctypes.c_int64(channels)


def _sums(*shape: int) -> Tensor:
    return torch.zeros(shape, dtype=torch.float64)


def moments(y: Tensor) -> Tensor:
    """Sums of y and y^2 over all places, 2 x C, float64."""
    sums = _sums(2, y.shape[-1])
    _library().moments(_pointer(y), *_rows(y), _pointer(sums))
    return sums


def activate(
    y: Tensor, scale: Tensor, shift: Tensor, *, linear: bool = False, added: Tensor | None = None
) -> Tensor:
    """relu6(scale y + shift); where `linear` without ReLU6, plus another map if given."""
    out = torch.empty_like(y)
    _library().activate(
        _pointer(y), _pointer(added), *_rows(y), _pointer(scale), _pointer(shift), int(linear), _pointer(out)
    )
    return out


def gradient_moments(
    y: Tensor, gradient: Tensor, scale: Tensor, shift: Tensor, *, linear: bool = False
) -> Tensor:
    """Sums of g and g y over all places, 2 x C, float64, for g before ReLU6 and `gradient` behind it."""
    sums = _sums(2, y.shape[-1])
    _library().gradient_moments(
        _pointer(y),
        _pointer(gradient),
        *_rows(y),
        _pointer(scale),
        _pointer(shift),
        int(linear),
        _pointer(sums),
    )
    return sums


def normalise_gradient(
    y: Tensor, gradient: Tensor, scale: Tensor, shift: Tensor, coefficients: Tensor, *, linear: bool = False
) -> None:
    """Put p g + q y + r in place of `gradient`; p, q, r are 3 x C, g is that of `gradient_moments`."""
    _library().normalise_gradient(
        _pointer(y),
        *_rows(y),
        _pointer(scale),
        _pointer(shift),
        _pointer(coefficients),
        int(linear),
        _pointer(gradient),
    )


def depthwise(
    y: Tensor, scale: Tensor | None, shift: Tensor | None, kernels: Tensor, stride: int
) -> tuple[Tensor, Tensor]:
    """3 x 3 convolution of relu6(scale y + shift), or of y, padding 1; kernels 9 x C. And `moments` of it."""
    shape = _shape(y, stride)
    out = y.new_empty((y.shape[0], shape.out_height, shape.out_width, y.shape[-1]))
    sums = _sums(2, y.shape[-1])
    _library().depthwise(
        _pointer(y),
        ctypes.c_int64(y.shape[0]),
        ctypes.byref(shape),
        *map(_pointer, (scale, shift, kernels, out, sums)),
    )
    return out, sums


def depthwise_gradient(  # noqa: PLR0917, as `depthwise`
    y: Tensor, gradient: Tensor, scale: Tensor | None, shift: Tensor | None, kernels: Tensor, stride: int
) -> tuple[Tensor, Tensor, Tensor]:
    """For the gradient of `depthwise`: g of scale y + shift, that of the kernels, sums of g and g y."""
    shape = _shape(y, stride)
    out, kernel_sums, sums = torch.empty_like(y), _sums(9, y.shape[-1]), _sums(2, y.shape[-1])
    _library().depthwise_gradient(
        _pointer(y),
        _pointer(gradient),
        ctypes.c_int64(y.shape[0]),
        ctypes.byref(shape),
        *map(_pointer, (scale, shift, kernels, out, kernel_sums, sums)),
    )
    return out, kernel_sums.float(), sums


def _shape(y: Tensor, stride: int) -> _Shape:
    _, height, width, channels = y.shape
    return _Shape(height, width, channels, (height - 1) // stride + 1, (width - 1) // stride + 1, stride)
