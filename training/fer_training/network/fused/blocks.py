"""An inverted residual, and a convolution with its normalisation and ReLU6, as one operation each."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_training.network.fused import library
from fer_training.network.fused.normalisation import Normalisation
from fer_training.network.model import InvertedResidual

Norms = tuple[nn.BatchNorm2d | None, nn.BatchNorm2d, nn.BatchNorm2d]


def stem(layers: nn.Sequential, pixels: Tensor) -> Tensor:
    """The first convolution, 3 x 3 with stride 2: N x 1 x S x S float32 -> N x S/2 x S/2 x C bfloat16."""
    convolution, norm = layers[0], layers[1]
    assert isinstance(convolution, nn.Conv2d)  # noqa: S101, narrows
    assert isinstance(norm, nn.BatchNorm2d)  # noqa: S101, narrows
    places = functional.unfold(pixels, 3, padding=1, stride=2).transpose(1, 2)  # N x L x 9
    count, side = len(pixels), (pixels.shape[-1] + 1) // 2
    rows = places.reshape(-1, 9).to(torch.bfloat16)
    return activated_rows(rows, convolution.weight.flatten(1), norm).view(count, side, side, -1)


def pointwise(layers: nn.Sequential, features: Tensor) -> Tensor:
    """The last convolution: N x H x W x C -> N x H x W x C'."""
    convolution, norm = layers[0], layers[1]
    assert isinstance(convolution, nn.Conv2d)  # noqa: S101, narrows
    assert isinstance(norm, nn.BatchNorm2d)  # noqa: S101, narrows
    rows = activated_rows(features.flatten(0, 2), convolution.weight.flatten(1), norm)
    return rows.view(*features.shape[:3], -1)


def activated_rows(rows: Tensor, weight: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    """relu6(norm(rows weight^T)), M x C -> M x C'."""
    out: Tensor = _ActivatedRows.apply(rows, weight, norm.weight, norm.bias, norm)  # type: ignore[no-untyped-call]
    return out


def inverted_residual(block: InvertedResidual, features: Tensor) -> Tensor:
    """`InvertedResidual` on N x H x W x C bfloat16."""
    (expand, expand_norm), (filtering, filter_norm), (reduce, reduce_norm) = _layers(block)
    norms: Norms = (expand_norm, filter_norm, reduce_norm)
    out: Tensor = _InvertedResidual.apply(  # type: ignore[no-untyped-call]
        features,
        *((expand.weight, expand_norm.weight, expand_norm.bias) if expand else (None, None, None)),
        *(filtering.weight, filter_norm.weight, filter_norm.bias),
        *(reduce.weight, reduce_norm.weight, reduce_norm.bias),
        norms,
        filtering.stride[0],
        block.adds_input,
    )
    return out


def _layers(block: InvertedResidual) -> list[tuple[Any, Any]]:
    """(convolution, normalisation) of expansion (none where it is 1), filter and reduction."""
    pairs = [(layer[0], layer[1]) for layer in block.layers]  # type: ignore[index]
    return [(None, None)] * (3 - len(pairs)) + pairs


class _ActivatedRows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, weight: Tensor, _scale: Tensor, _shift: Tensor, norm: nn.BatchNorm2d
    ) -> Tensor:
        matrix = weight.detach().to(torch.bfloat16)
        y = rows @ matrix.t()
        normal = Normalisation.of(norm, library.moments(y), len(y))
        ctx.kept = rows, matrix, y, normal
        return library.activate(y, normal.scale, normal.shift)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, matrix, y, normal = ctx.kept
        del ctx.kept
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        d_scale, d_shift = normal.backward(y, gradient)
        d_rows = gradient @ matrix if ctx.needs_input_grad[0] else None
        return d_rows, (gradient.t() @ rows).float(), d_scale, d_shift, None


class _InvertedResidual(torch.autograd.Function):
    """Equations 4 to 6. Kept are the three outputs of convolutions, and the input of the last one."""

    @staticmethod
    def forward(  # noqa: PLR0917, one for each weight; autograd passes by place
        ctx: Any,
        features: Tensor,
        expand: Tensor | None,
        _expand_scale: Tensor | None,
        _expand_shift: Tensor | None,
        kernels: Tensor,
        _filter_scale: Tensor,
        _filter_shift: Tensor,
        reduce: Tensor,
        _reduce_scale: Tensor,
        _reduce_shift: Tensor,
        norms: Norms,
        stride: int,
        adds_input: bool,
    ) -> Tensor:
        expand_norm, filter_norm, reduce_norm = norms
        features = features.contiguous()
        expanded, expand_matrix, expand_normal = features, None, None
        if expand is not None and expand_norm is not None:
            expand_matrix = expand.detach().flatten(1).to(torch.bfloat16)
            expanded = features @ expand_matrix.t()
            places = expanded.numel() // expanded.shape[-1]
            expand_normal = Normalisation.of(expand_norm, library.moments(expanded), places)
        taps = kernels.detach().flatten(1).t().contiguous()  # 9 x C
        filtered, moments = library.depthwise(expanded, *_affine(expand_normal), taps, stride)
        places = filtered.numel() // filtered.shape[-1]
        filter_normal = Normalisation.of(filter_norm, moments, places)
        activated = library.activate(filtered, filter_normal.scale, filter_normal.shift)
        reduce_matrix = reduce.detach().flatten(1).to(torch.bfloat16)
        reduced = activated @ reduce_matrix.t()
        reduce_normal = Normalisation.of(reduce_norm, library.moments(reduced), places)
        ctx.maps = features, expanded, filtered, activated, reduced
        ctx.weights = expand_matrix, taps, reduce_matrix
        ctx.normals = expand_normal, filter_normal, reduce_normal
        ctx.shapes = kernels.shape, stride, adds_input
        return library.activate(
            reduced,
            reduce_normal.scale,
            reduce_normal.shift,
            linear=True,
            added=features if adds_input else None,
        )

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, expanded, filtered, activated, reduced = ctx.maps
        expand_matrix, taps, reduce_matrix = ctx.weights
        expand_normal, filter_normal, reduce_normal = ctx.normals
        shape, stride, adds_input = ctx.shapes
        del ctx.maps

        d_reduced = gradient.clone(memory_format=torch.contiguous_format)
        reduce_affine = reduce_normal.backward(reduced, d_reduced, linear=True)
        d_reduce = _matrix_gradient(d_reduced, activated)
        d_filtered = d_reduced @ reduce_matrix
        filter_affine = filter_normal.backward(filtered, d_filtered)
        d_expanded, d_taps, moments = library.depthwise_gradient(
            expanded, d_filtered, *_affine(expand_normal), taps, stride
        )
        d_expand: Tensor | None = None
        expand_affine: tuple[Tensor | None, Tensor | None] = (None, None)
        d_features = d_expanded
        if expand_normal is not None:
            expand_affine = expand_normal.backward(expanded, d_expanded, moments=moments)
            d_expand = _matrix_gradient(d_expanded, features)
            d_features = d_expanded @ expand_matrix
        if adds_input:
            d_features = d_features + gradient
        d_kernels = d_taps.t().reshape(shape)
        return (
            d_features,
            *(d_expand, *expand_affine),
            *(d_kernels, *filter_affine),
            *(d_reduce, *reduce_affine),
            *(None, None, None),
        )


def _affine(normal: Normalisation | None) -> tuple[Tensor | None, Tensor | None]:
    return (None, None) if normal is None else (normal.scale, normal.shift)


def _matrix_gradient(gradient: Tensor, rows: Tensor) -> Tensor:
    """Of a 1 x 1 convolution, C' x C x 1 x 1, for gradients and inputs N x H x W x C' and C."""
    product = gradient.flatten(0, 2).t() @ rows.flatten(0, 2)
    return product.float()[:, :, None, None]
