"""Two faces in one view: mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019), on vote shares."""

import numpy as np
import torch
from torch import Tensor

from fer_training.learning.config import ExperimentConfig


def mixed(
    pixels: Tensor, targets: Tensor, config: ExperimentConfig, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """The views (B x 1 x S x S) and targets (B x K) of a batch, mixed as the experiment says, or as they are.

    Where both ways are on, each batch takes one of them, as likely as the other.
    """
    ways = [way for way in ("mixup", "cutmix") if getattr(config, way)]
    if not ways or random.random() >= config.mix_share:
        return pixels, targets
    partners = torch.from_numpy(random.permutation(len(pixels))).to(pixels.device)
    if ways[random.integers(len(ways))] == "mixup":
        share = float(random.beta(config.mixup, config.mixup))
        return blended(pixels, targets, partners, share)
    share = float(random.beta(config.cutmix, config.cutmix))
    centre_x, centre_y = random.random(2)
    return pasted(pixels, targets, partners, share, (float(centre_x), float(centre_y)))


def blended(pixels: Tensor, targets: Tensor, partners: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Mixup, equation 1: lambda x + (1 - lambda) x', the same for the targets; lambda is `share`."""
    return pixels[partners].lerp(pixels, share), targets[partners].lerp(targets, share)


def pasted(
    pixels: Tensor, targets: Tensor, partners: Tensor, share: float, centre: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Cutmix, equation 2: a rectangle of 1 - lambda of the area comes from the partner.

    `share` is lambda, `centre` (x, y) that of the rectangle in fractions of the side. What of it lies outside
    is cut off, and lambda then is the share of pixels that stayed.
    """
    size = pixels.shape[-1]
    half = size * (1 - share) ** 0.5 / 2
    left, right, top, bottom = (
        round(min(max(middle * size + offset, 0), size)) for middle in centre for offset in (-half, half)
    )
    out = pixels.clone()
    out[:, :, top:bottom, left:right] = pixels[partners][:, :, top:bottom, left:right]
    kept = 1 - (bottom - top) * (right - left) / size**2
    return out, targets[partners].lerp(targets, kept)
