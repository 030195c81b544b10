"""The hybrid of Barigidad 2025: MobileNetV2 and a Vision Transformer on its features, fused.

Reads from top to bottom as the paper does; equation numbers are the paper's. Two equations as printed are not
the standard ones and are implemented as their sources define them:

- (3) prints Y = sigma(W_d * X) + sigma(W_p * Y_d), a sum of both convolutions; MobileNetV2 (Sandler et al.
  2018) applies them one after the other, as the paper's own (4)-(6) do.
- (10) prints LN(x) = (x - mu) / (sigma + epsilon); layer normalisation (Ba et al. 2016) divides by
  sqrt(sigma^2 + epsilon), then scales and shifts by learned parameters.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

Fusion = Literal["learned", "half", "mobilenet", "vit", "vit-patches"]
"""Learned a; a = 0.5; or one part alone: `vit` on features of MobileNetV2, `vit-patches` on the picture."""


_LEAST: Mapping[str, int] = {
    "classes": 2, "vit_dim": 1, "vit_depth": 1, "vit_heads": 1, "fused_dim": 1, "patch_px": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HybridConfig:
    """Everything that determines the shape of a `Hybrid`."""

    image_size: Annotated[int, Field(description="px, 16 to 512; what ships has 80, the paper 224.")] = 112
    width: Annotated[float, Field(description="Multiplies every MobileNetV2 channel count, above 0.")] = 1.0
    classes: Annotated[int, Field(description="From 2 on; `train` takes those of the data instead.")] = 8
    token_stride: Annotated[Literal[8, 16], Field(description="Of the feature map that becomes tokens.")] = 16
    vit_dim: Annotated[int, Field(description="Width of a token, a multiple of `vit_heads`.")] = 112
    vit_depth: Annotated[int, Field(description="Blocks of the transformer, from 1 on.")] = 3
    vit_heads: Annotated[int, Field(description="Heads of its attention, from 1 on.")] = 4
    fused_dim: Annotated[int, Field(description="Width of F_MobileNetV2, F_ViT, F_Hybrid, from 1 on.")] = 256
    dropout: Annotated[float, Field(description="Of tokens and of F_Hybrid, 0 to below 1.")] = 0.1
    fusion: Annotated[
        Fusion,
        Field(
            description="Learned a, a = 0.5, or one part alone: `vit` on features of MobileNetV2, "
            "`vit-patches` on the picture."
        ),
    ] = "learned"
    patch_px: Annotated[int, Field(description="Of `vit-patches`; `image_size` is a multiple of it.")] = 8

    def __post_init__(self) -> None:
        if not 16 <= self.image_size <= 512:  # as cards have it
            raise ValueError(f"`image_size` is {self.image_size}, expected 16 to 512 px")
        if not 0 < self.width < math.inf:
            raise ValueError(f"`width` is {self.width}, expected a number above 0")
        for name, least in _LEAST.items():
            if not getattr(self, name) >= least:
                raise ValueError(f"`{name}` is {getattr(self, name)}, expected {least} or more")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"`dropout` is {self.dropout}, expected 0 or more and less than 1")
        if self.vit_dim % self.vit_heads:
            raise ValueError(f"`vit_dim` {self.vit_dim} is no multiple of `vit_heads` {self.vit_heads}")
        if self.fusion == "vit-patches" and self.image_size % self.patch_px:
            raise ValueError(f"`image_size` {self.image_size} is no multiple of `patch_px` {self.patch_px}")

    def to_dict(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


class Hybrid(nn.Module):
    """N x 1 x S x S pixels in [-1, 1] -> N x classes logits; softmax over them is equation 12.

    F_Hybrid = a F_MobileNetV2 + (1 - a) F_ViT (11) with a = sigmoid(theta), so that a stays a share in 0..1.
    A part that a fixed share of 0 or 1 leaves out is not built.
    """

    def __init__(self, config: HybridConfig) -> None:
        super().__init__()
        self.config = config
        channels, grid = config.patch_px**2, config.image_size // config.patch_px
        if config.fusion != "vit-patches":
            self.mobilenet = MobileNetV2(config.width, config.token_stride)
            channels, grid = self.mobilenet.token_channels, -(-config.image_size // config.token_stride)
            self.project_mobilenet = _projection(self.mobilenet.channels, config.fused_dim)
        if config.fusion != "mobilenet":
            self.vit = VisionTransformer(
                channels,
                grid,
                dim=config.vit_dim,
                depth=config.vit_depth,
                heads=config.vit_heads,
                dropout=config.dropout,
            )
            self.project_vit = _projection(config.vit_dim, config.fused_dim)
        self.theta = nn.Parameter(torch.zeros(()), requires_grad=config.fusion == "learned")
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(config.fused_dim, config.classes)

    @property
    def share(self) -> Tensor:
        """The share a of MobileNetV2 in the fused features, a scalar in 0..1."""
        if self.config.fusion == "mobilenet":
            return torch.ones_like(self.theta)
        if self.config.fusion in ("vit", "vit-patches"):
            return torch.zeros_like(self.theta)
        return torch.sigmoid(self.theta)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits, N x classes."""
        logits: Tensor = self.classifier(self.dropout(self.fused(pixels)))  # (12), softmax is the loss's
        return logits

    def fused(self, pixels: Tensor) -> Tensor:
        """F_Hybrid, N x fused_dim."""
        if self.config.fusion == "vit-patches":
            patches = functional.pixel_unshuffle(pixels, self.config.patch_px)  # x_p: pixels as channels
            return self.project_vit(self.vit(patches))  # type: ignore[no-any-return]
        return self.mixed(*self.mobilenet(pixels))

    def mixed(self, tokens_map: Tensor, features: Tensor) -> Tensor:
        """F_Hybrid of what MobileNetV2 gives: its feature map for the tokens, and its pooled features."""
        f_mobilenet: Tensor = self.project_mobilenet(features)
        if self.config.fusion == "mobilenet":
            return f_mobilenet
        f_vit: Tensor = self.project_vit(self.vit(tokens_map))
        return self.share * f_mobilenet + (1 - self.share) * f_vit  # (11)


# --- MobileNetV2 ----------------------------------------------------------------------------------

# expansion t, channels c, repeats n, first stride s: table 2 of Sandler et al. 2018
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_LAST_CHANNELS = 1280


class MobileNetV2(nn.Module):
    """N x 1 x S x S -> (feature map N x C x S/stride x S/stride for the tokens, pooled N x channels)."""

    def __init__(self, width: float, token_stride: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        channels = _rounded(32 * width)
        stem = _convolution(1, channels, kernel=3, stride=2)
        stride, self.token_stage = 2, 0
        for index, (expansion, base, repeats, first_stride) in enumerate(_STAGES):
            blocks: list[nn.Module] = [] if index else [stem]
            for repeat in range(repeats):
                block_stride = first_stride if repeat == 0 else 1
                blocks.append(InvertedResidual(channels, _rounded(base * width), block_stride, expansion))
                channels = _rounded(base * width)
            stride *= first_stride
            if stride == token_stride:  # the last stage of this stride
                self.token_stage, self.token_channels = index, channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.channels = _rounded(_LAST_CHANNELS * max(1.0, width))
        self.last = _convolution(channels, self.channels)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The token feature map and the pooled features."""
        tokens_map = features = pixels
        for index, stage in enumerate(self.stages):
            features = stage(features)
            if index == self.token_stage:
                tokens_map = features
        return tokens_map, self.last(features).mean(dim=(2, 3))


class InvertedResidual(nn.Module):
    """Expand, filter depthwise, reduce linearly (4)-(6); the input is added where shape allows."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = channels_in * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers.append(_convolution(channels_in, hidden))  # (4) Z = sigma(W_expand X)
        layers.append(
            _convolution(hidden, hidden, kernel=3, stride=stride, groups=hidden)
        )  # (5) Y_d = sigma(W_d * Z)
        layers.append(
            _convolution(hidden, channels_out, activation=False)
        )  # (6) W_reduce * Y_d, a linear bottleneck
        self.layers = nn.Sequential(*layers)
        self.adds_input = stride == 1 and channels_in == channels_out

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H/stride x W/stride."""
        out: Tensor = self.layers(features)
        return features + out if self.adds_input else out


def _convolution(
    channels_in: int,
    channels_out: int,
    kernel: int = 1,
    stride: int = 1,
    groups: int = 1,
    *,
    activation: bool = True,
) -> nn.Sequential:
    """Convolution, batch normalisation and, but for linear bottlenecks, ReLU6."""
    layers = [
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
    ]
    return nn.Sequential(*layers, nn.ReLU6(inplace=True)) if activation else nn.Sequential(*layers)


def _rounded(channels: float, divisor: int = 8) -> int:
    """The nearest multiple of 8, never more than 10 % below, as the MobileNet authors do."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


# --- Vision Transformer ---------------------------------------------------------------------------


class VisionTransformer(nn.Module):
    """N x C x G x G feature map, or patches of the picture -> N x dim class token after `depth` blocks."""

    def __init__(self, channels: int, grid: int, *, dim: int, depth: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.embed = nn.Linear(channels, dim)  # E of (7)
        self.class_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.position = nn.Parameter(torch.zeros(1, 1 + grid * grid, dim))  # E_pos of (7)
        nn.init.trunc_normal_(self.class_token, std=0.02)
        nn.init.trunc_normal_(self.position, std=0.02)
        self.blocks = nn.Sequential(*(EncoderBlock(dim, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)

    def forward(self, features: Tensor) -> Tensor:
        """The normalised class token."""
        tokens = self.embed(features.flatten(2).transpose(1, 2))
        class_token = self.class_token.expand(tokens.shape[0], -1, -1)
        z = torch.cat([class_token, tokens], dim=1) + self.position  # (7), with a class token
        out: Tensor = self.norm(self.blocks(z)[:, 0])
        return out


class EncoderBlock(nn.Module):
    """Pre-norm encoder: z + MHSA(LN(z)), then z + FFN(LN(z))."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(dim)  # (10)
        self.attention = SelfAttention(dim, heads)
        self.norm_feed_forward = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(  # (9) FFN(x) = sigma(x W_1 + b_1) W_2 + b_2
            nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Dropout(dropout), nn.Linear(2 * dim, dim)
        )

    def forward(self, z: Tensor) -> Tensor:
        """N x T x dim -> N x T x dim."""
        z = z + self.attention(self.norm_attention(z))
        out: Tensor = z + self.feed_forward(self.norm_feed_forward(z))
        return out


class SelfAttention(nn.Module):
    """Multi-head softmax(Q K^T / sqrt(d_k)) V (8)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, z: Tensor) -> Tensor:
        """N x T x dim -> N x T x dim."""
        count, tokens, dim = z.shape
        q, k, v = (
            self.query_key_value(z)
            .reshape(count, tokens, 3, self.heads, dim // self.heads)
            .permute(2, 0, 3, 1, 4)
        )
        mixed = functional.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(count, tokens, dim))
        return out


# --- Fusion ---------------------------------------------------------------------------------------


def _projection(channels: int, fused_dim: int) -> nn.Sequential:
    """To the common width, layer-normalised, so that a weighs features of one scale."""
    return nn.Sequential(nn.Linear(channels, fused_dim), nn.LayerNorm(fused_dim))
