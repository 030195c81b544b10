"""The fused passes of training on a processor against PyTorch's own operations."""

import copy
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_training.errors import ConfigError
from fer_training.network.fused import library
from fer_training.network.fused.blocks import inverted_residual, stem
from fer_training.network.fused.hybrid import FusedHybrid
from fer_training.network.model import Hybrid, HybridConfig, InvertedResidual

CPU = torch.device("cpu")
SMALL = HybridConfig(
    image_size=48, width=0.25, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16, dropout=0.0
)
with_compiler = pytest.mark.skipif(
    "CXX" not in os.environ and not any(map(shutil.which, library.COMPILERS)), reason="no C++ compiler here"
)
CHANNELS = (8, 16, 24, 48)
"""One vector of 16 and no rest, a rest alone, and both."""


@pytest.fixture(autouse=True)
def _repeatable() -> None:
    torch.manual_seed(0)


def drawn_map(channels: int, side: int = 7, count: int = 3) -> Tensor:
    return (2 * torch.randn(count, side, side, channels)).to(torch.bfloat16)


def affine(channels: int) -> tuple[Tensor, Tensor]:
    return torch.rand(channels) + 0.5, torch.randn(channels)


def activated(y: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return functional.relu6(scale * y + shift)


def close(ours: Tensor, expected: Tensor) -> None:
    """Up to the rounding of bfloat16, 1/256, of a value or of what was summed to it."""
    torch.testing.assert_close(
        ours.float(), expected.float(), rtol=1e-2, atol=1e-2 * float(expected.abs().mean())
    )


@with_compiler
@pytest.mark.parametrize("channels", CHANNELS)
def test_moments_are_sums_over_places(channels: int) -> None:
    y = drawn_map(channels, side=23)  # more rows than are summed in float32
    wide = y.double().flatten(0, 2)
    expected = torch.stack([wide.sum(0), wide.square().sum(0)])
    torch.testing.assert_close(library.moments(y), expected, rtol=1e-5, atol=1e-3)


@with_compiler
@pytest.mark.parametrize("channels", CHANNELS)
def test_activation_is_relu6_of_the_normalised_map(channels: int) -> None:
    y, other, (scale, shift) = drawn_map(channels), drawn_map(channels), affine(channels)
    close(library.activate(y, scale, shift), activated(y.float(), scale, shift))
    close(
        library.activate(y, scale, shift, linear=True, added=other), scale * y.float() + shift + other.float()
    )


@with_compiler
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("linear", [False, True])
def test_gradients_pass_where_relu6_is_open(channels: int, linear: bool) -> None:
    y, gradient, (scale, shift) = drawn_map(channels), drawn_map(channels), affine(channels)
    normal = scale * y.float() + shift
    passed = gradient.double() * (linear | ((normal > 0) & (normal < 6)))
    expected = torch.stack([passed.sum((0, 1, 2)), (passed * y.double()).sum((0, 1, 2))])
    sums = library.gradient_moments(y, gradient, scale, shift, linear=linear)
    torch.testing.assert_close(sums, expected, rtol=1e-5, atol=1e-3)
    coefficients = torch.randn(3, channels)
    library.normalise_gradient(y, gradient, scale, shift, coefficients, linear=linear)
    close(gradient, coefficients[0] * passed + coefficients[1] * y.float() + coefficients[2])


@with_compiler
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [1, 6, 7])
@pytest.mark.parametrize("plain", [False, True])
def test_depthwise_convolution(channels: int, stride: int, side: int, plain: bool) -> None:
    y, (scale, shift), kernels = drawn_map(channels, side), affine(channels), torch.randn(9, channels)
    normal = (y.float() if plain else scale * y.float() + shift).requires_grad_()
    taps = kernels.t().reshape(channels, 1, 3, 3).requires_grad_()
    z = normal if plain else functional.relu6(normal)
    expected = functional.conv2d(z.permute(0, 3, 1, 2), taps, stride=stride, padding=1, groups=channels)
    expected = expected.permute(0, 2, 3, 1)
    a, b = (None, None) if plain else (scale, shift)
    out, moments = library.depthwise(y, a, b, kernels, stride)
    close(out, expected.detach())
    close(moments, torch.stack([expected.sum((0, 1, 2)), expected.square().sum((0, 1, 2))]).detach())
    gradient = torch.randn_like(expected).to(torch.bfloat16)
    expected.backward(gradient.float())  # type: ignore[no-untyped-call]
    d_normal, d_kernels, sums = library.depthwise_gradient(y, gradient, a, b, kernels, stride)
    assert normal.grad is not None
    assert taps.grad is not None
    close(d_normal, normal.grad)
    close(d_kernels, taps.grad.flatten(1).t())
    close(sums, torch.stack([normal.grad.sum((0, 1, 2)), (normal.grad * y.float()).sum((0, 1, 2))]))


def likeness(ours: Tensor, expected: Tensor) -> float:
    """The share of `expected` that `ours` leaves out."""
    ours, expected = ours.detach().float(), expected.detach()
    return float((ours - expected).norm() / expected.norm())


def drawn_norms(module: nn.Module) -> None:
    for norm in (module for module in module.modules() if isinstance(module, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.7, 1.3)
        nn.init.normal_(norm.bias, 1.0, 0.3)


@with_compiler
@pytest.mark.parametrize(
    ("channels_in", "channels_out", "stride", "expansion"), [(8, 16, 2, 1), (16, 16, 1, 6), (24, 40, 2, 3)]
)
def test_inverted_residual_is_the_plain_one(
    channels_in: int, channels_out: int, stride: int, expansion: int
) -> None:
    plain = InvertedResidual(channels_in, channels_out, stride, expansion)
    drawn_norms(plain)
    ours = copy.deepcopy(plain)
    features = drawn_map(channels_in, side=12, count=16)
    near, far = features.float().permute(0, 3, 1, 2).requires_grad_(), features.requires_grad_()
    expected, out = plain(near), inverted_residual(ours, far)
    assert likeness(out.permute(0, 3, 1, 2), expected) < 0.01
    gradient = torch.randn_like(expected).to(torch.bfloat16)
    expected.backward(gradient.float())
    out.backward(gradient.permute(0, 2, 3, 1))  # type: ignore[no-untyped-call]
    assert near.grad is not None
    assert far.grad is not None
    assert likeness(far.grad.permute(0, 3, 1, 2), near.grad) < 0.1
    for (name, parameter), other in zip(plain.named_parameters(), ours.parameters(), strict=True):
        assert parameter.grad is not None
        assert other.grad is not None
        assert likeness(other.grad, parameter.grad) < 0.15, name
    for (name, buffer), remembered in zip(plain.named_buffers(), ours.buffers(), strict=True):
        torch.testing.assert_close(remembered, buffer, rtol=0.02, atol=0.01, msg=name)


@with_compiler
@pytest.mark.parametrize("side", [15, 16])
def test_stem_is_the_plain_one(side: int) -> None:
    layers = Hybrid(SMALL).mobilenet.stages[0][0]  # type: ignore[index]
    drawn_norms(layers)
    ours, pixels = copy.deepcopy(layers), torch.rand(8, 1, side, side) * 2 - 1
    assert likeness(stem(ours, pixels).permute(0, 3, 1, 2), layers(pixels)) < 0.01


def trained(network: nn.Module, model: Hybrid) -> list[float]:
    """The loss of 30 steps on 64 pictures of which half have a bright upper half."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.rand(64, 1, 48, 48, generator=generator) - 0.5
    pixels[:32, :, :24] += 0.5
    targets = torch.arange(64) // 32
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(30):
        loss = functional.cross_entropy(network(pixels), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@with_compiler
@pytest.mark.parametrize("fusion", ["learned", "mobilenet"])
def test_training_goes_as_with_plain_operations(fusion: Any) -> None:
    model = Hybrid(HybridConfig(**{**SMALL.to_dict(), "fusion": fusion}))
    ours = copy.deepcopy(model)
    try:
        network = FusedHybrid(ours, CPU)
    except ConfigError as refused:
        pytest.skip(str(refused))
    expected, losses = trained(model, model), trained(network, ours)
    assert losses[0] == pytest.approx(expected[0], rel=0.02)
    assert losses[-1] < 0.5 * losses[0]
    assert losses[-1] == pytest.approx(expected[-1], abs=0.15)
    assert ours.theta.item() == pytest.approx(model.theta.item(), abs=5e-3)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: FusedHybrid(Hybrid(SMALL), torch.device("meta")), "for the processor"),
        (
            lambda: FusedHybrid(Hybrid(HybridConfig(image_size=48, width=0.25, fusion="vit-patches")), CPU),
            "vit-patches",
        ),
    ],
)
def test_what_it_is_not_for(make: Callable[[], object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make()


def test_a_compiler_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library._library.cache_clear()
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    with pytest.raises(ConfigError, match="no-compiler"):
        library.moments(drawn_map(8))
    library._library.cache_clear()
