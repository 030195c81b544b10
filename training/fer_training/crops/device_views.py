"""Random views made on the accelerator, for all faces of a batch at once: `random_view` without OpenCV.

The faces lie on the device, and a batch is one affine sampling and a few pixel operations. Each step has
the distribution of its twin in `augment`: the mean and the variance of views agree, single views do not.
Known differences: made-up `surroundings` are repeated or mirrored edges, flat grey, a slope or coarse noise
that begin where the face ends, without a blended seam and without an outer end; and faces are not shrunk by
area first, so their sides must not be more than twice that of the crop.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fer_training.crops.augment import AugmentConfig
from fer_training.crops.batches import TrainingBatches
from fer_training.crops.shuffle import Chunk

_REPLICATE, _REFLECT, _GROUND = 0, 1, 2
_GROUND_CELLS = 8


def fits_device_views(batches: TrainingBatches) -> bool:
    """Whether the faces are small enough to be sampled without being shrunk first."""
    return max(int(side) for side in batches.images.shape[1:]) <= 2 * batches.size_px


@dataclass(frozen=True, slots=True)
class DeviceBatches:
    """The batches of `plan`, their views made on its device."""

    plan: TrainingBatches
    images: Tensor
    """N x 1 x H x W, uint8."""
    frames: Tensor
    """N x K x 2 x 3, see `alignment`."""
    targets: Tensor

    @classmethod
    def of(cls, plan: TrainingBatches) -> "DeviceBatches":
        """Bring all faces to the device."""
        images, frames, targets = (
            torch.from_numpy(array).to(plan.device)
            for array in (plan.images, plan.frames.astype(np.float32), plan.targets)
        )
        return cls(plan, images[:, None], frames, targets)

    def __len__(self) -> int:
        return len(self.plan)

    def tensors(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """See `Batches`; each process draws from a source of its own."""
        plan = self.plan
        for step, chunk in enumerate(plan.chunks(epoch)):
            seed = np.random.SeedSequence((plan.seed, epoch, step, plan.rank)).generate_state(2, np.uint32)
            random = Random(plan.device, int(seed[0]) << 31 | int(seed[1]) >> 1)
            yield self._pixels(chunk, random), self.targets[torch.from_numpy(chunk).to(plan.device)]

    def _pixels(self, chunk: Chunk, random: "Random") -> Tensor:
        rows = torch.from_numpy(chunk).to(self.plan.device)
        draws = random.integers(len(rows), self.frames.shape[1])
        views = random_views(
            self.images[rows].float(),
            self.frames[rows, draws],
            self.plan.size_px,
            self.plan.augment,
            random,
        )
        return views.div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)


class Random:
    """A source of random tensors on a device."""

    def __init__(self, device: torch.device, seed: int) -> None:
        self.device = device
        self._generator = torch.Generator(device).manual_seed(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """From `low` to `high`."""
        return torch.rand(shape, generator=self._generator, device=self.device) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        """Mean 0, deviation 1."""
        return torch.randn(shape, generator=self._generator, device=self.device)

    def integers(self, count: int, below: int) -> Tensor:
        """`count` whole numbers, 0 to `below` - 1."""
        return torch.randint(below, (count,), generator=self._generator, device=self.device)

    def chance(self, probability: float, count: int) -> Tensor:
        """`count` times yes or no."""
        return self.uniform(0, 1, count) < probability


def random_views(
    images: Tensor, frames: Tensor, size_px: int, config: AugmentConfig, random: Random
) -> Tensor:
    """A random view of each face: B x 1 x H x W and frames B x 2 x 3 -> B x 1 x S x S, grey levels 0..255."""
    to_crop = _random_changes(len(images), size_px, config, random) @ _centred(frames * size_px)
    views = _sampled(images, to_crop, size_px, config.surroundings, random).round_()
    views = _noisy(_blurred(views, config.blur, random), config.noise, random)
    return _erased(_lit(views, config, random), config.erase, random)


def _centred(matrices: Tensor) -> Tensor:
    """B x 2 x 3 for continuous edges -> B x 3 x 3 for pixel centres at integers, see `align.centred`."""
    turn, shift = matrices[:, :, :2], matrices[:, :, 2]
    return _whole(turn, shift + turn.sum(dim=2) * 0.5 - 0.5)


def _whole(turn: Tensor, shift: Tensor) -> Tensor:
    bottom = torch.tensor([0.0, 0.0, 1.0], device=turn.device).expand(len(turn), 1, 3)
    return torch.cat([torch.cat([turn, shift[:, :, None]], dim=2), bottom], dim=1)


def _random_changes(count: int, size_px: int, config: AugmentConfig, random: Random) -> Tensor:
    """Zoom, rotate, shift and flip about the middle of the crop, B x 3 x 3."""
    scale = 1 + random.uniform(-config.zoom, config.zoom, count)
    degrees = random.uniform(-config.rotation_degrees, config.rotation_degrees, count)
    shift = random.uniform(-config.shift, config.shift, count, 2) * size_px
    mirror = 1 - 2 * random.chance(0.5 if config.flip else 0.0, count).float()
    cos, sin = scale * degrees.deg2rad().cos(), scale * degrees.deg2rad().sin()
    turn = torch.stack([torch.stack([mirror * cos, -sin], 1), torch.stack([mirror * sin, cos], 1)], 1)
    middle = (size_px - 1) / 2
    return _whole(turn, middle + shift - turn.sum(dim=2) * middle)


def _sampled(images: Tensor, to_crop: Tensor, size_px: int, surroundings: float, random: Random) -> Tensor:
    """Bilinear sampling; what lies outside a face is drawn: its edges again, mirrored, or a ground."""
    count, (height, width) = len(images), images.shape[2:]
    pixel = torch.arange(size_px, device=images.device, dtype=torch.float32)
    v, u = torch.meshgrid(pixel, pixel, indexing="ij")
    back = torch.linalg.inv(to_crop)[:, :2]  # crop -> face
    x, y = (
        back[:, row, 0, None, None] * u + back[:, row, 1, None, None] * v + back[:, row, 2, None, None]
        for row in (0, 1)
    )
    made_up = random.chance(surroundings, count)
    kind = torch.where(made_up, _kind(random.integers(count, 7)), random.integers(count, 3))[:, None, None]
    inside = (_covered(x, width) * _covered(y, height)).masked_fill(kind != _GROUND, 1.0)[:, None]
    x = torch.where(kind == _REFLECT, _reflected(x, width), x)
    y = torch.where(kind == _REFLECT, _reflected(y, height), y)
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=3)
    faces = functional.grid_sample(images, grid, "bilinear", "border", align_corners=False)
    return faces * inside + _ground(size_px, made_up, random) * (1 - inside)


def _kind(drawn: Tensor) -> Tensor:
    """Of the seven equally likely surroundings of `with_surroundings`: two repeat, one mirrors."""
    return torch.where(drawn <= 1, _REPLICATE, torch.where(drawn == 2, _REFLECT, _GROUND))


def _covered(x: Tensor, side: int) -> Tensor:
    """How much of a sample at x comes from the pixels 0..side-1, 0..1."""
    return (x + 1).clamp(0, 1) * (side - x).clamp(0, 1)


def _reflected(x: Tensor, side: int) -> Tensor:
    """The place in 0..side-1 that mirrors onto x, the edge pixels not doubled."""
    period = 2 * (side - 1)
    folded = torch.remainder(x, period)
    return torch.minimum(folded, period - folded)


def _ground(size_px: int, made_up: Tensor, random: Random) -> Tensor:
    """Grey levels B x 1 x S x S: flat; where made up also a slope or, twice as likely, coarse noise."""
    count = len(made_up)
    flat = random.uniform(0, 255, count, 1, 1, 1)
    slope = random.uniform(0, 255, count, 1, 2, 2)
    deviation = random.uniform(10, 60, count, 1, 1, 1)
    noise = random.normal(count, 1, _GROUND_CELLS, _GROUND_CELLS) * deviation
    noise = noise + random.uniform(40, 215, count, 1, 1, 1)
    wide_slope, wide_noise = (
        functional.interpolate(corners, size=(size_px, size_px), mode="bicubic", align_corners=False)
        for corners in (slope, noise)
    )
    kind = random.integers(count, 4)[:, None, None, None]  # of `with_surroundings`: 3, 4, and 5 or 6
    rough = torch.where(kind == 0, flat, torch.where(kind == 1, wide_slope, wide_noise))
    return torch.where(made_up[:, None, None, None], rough, flat).clamp(0, 255)


def _blurred(views: Tensor, probability: float, random: Random) -> Tensor:
    if not probability:
        return views
    count, size = len(views), views.shape[-1]
    sigma = random.uniform(0.4, 1.2, count) * size / 64
    sigma = torch.where(random.chance(probability, count), sigma, 1e-3)  # a single point: no blur
    reach = min(math.ceil(3 * 1.2 * size / 64), size - 1)
    offsets = torch.arange(-reach, reach + 1, device=views.device)
    kernels = (-(offsets**2) / (2 * sigma[:, None] ** 2)).exp()
    kernels = kernels / kernels.sum(dim=1, keepdim=True)
    rows = functional.pad(views.transpose(0, 1), [reach] * 4, mode="reflect")
    rows = functional.conv2d(rows, kernels[:, None, None, :], groups=count)
    return functional.conv2d(rows, kernels[:, None, :, None], groups=count).transpose(0, 1)


def _noisy(views: Tensor, probability: float, random: Random) -> Tensor:
    if not probability:
        return views
    deviation = random.uniform(1, 8, len(views)) * random.chance(probability, len(views))
    return (views + random.normal(*views.shape) * deviation[:, None, None, None]).clamp_(0, 255)


def _lit(views: Tensor, config: AugmentConfig, random: Random) -> Tensor:
    """Contrast about the mean, then brightness."""
    gain = 1 + random.uniform(-config.contrast, config.contrast, len(views), 1, 1, 1)
    offset = 255 * random.uniform(-config.brightness, config.brightness, len(views), 1, 1, 1)
    mean = views.mean(dim=(1, 2, 3), keepdim=True)
    return ((views - mean) * gain + mean + offset).clamp_(0, 255)


def _erased(views: Tensor, probability: float, random: Random) -> Tensor:
    """Overwrite a rectangle of 2-20 % of the area with noise."""
    if not probability:
        return views
    count, size = len(views), views.shape[-1]
    area, aspect = random.uniform(0.02, 0.2, count) * size * size, random.uniform(-1, 1, count).exp()
    height, width = ((side).sqrt().round().clamp(1, size) for side in (area * aspect, area / aspect))
    top, left = ((random.uniform(0, 1, count) * (size - side + 1)).floor() for side in (height, width))
    pixel = torch.arange(size, device=views.device)
    rows = (pixel >= top[:, None]) & (pixel < (top + height)[:, None])
    columns = (pixel >= left[:, None]) & (pixel < (left + width)[:, None])
    hit = (
        rows[:, None, :, None]
        & columns[:, None, None, :]
        & random.chance(probability, count)[:, None, None, None]
    )
    return torch.where(hit, random.uniform(0, 256, *views.shape).floor(), views)
