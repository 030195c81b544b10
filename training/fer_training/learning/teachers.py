"""Finished models that a new one learns from: their mean answer, to the view it sees or to the whole face."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from fer_training.crops.batches import plain_crops, to_pixels
from fer_training.data.labelled import LabelledFaces
from fer_training.errors import ConfigError
from fer_training.learning.config import DistillConfig
from fer_training.network.checkpoint import load_model
from fer_training.network.model import Hybrid


@dataclass(frozen=True, slots=True)
class Teachers:
    """An ensemble; same view for teacher and student, as Beyer et al. 2022 found to matter."""

    models: tuple[Hybrid, ...]
    temperature: float
    share: float
    """Of the teachers in the loss; the targets have the rest."""
    once: bool = False
    """Asked before training by `taught`, and not in each step."""

    @classmethod
    def open(cls, config: DistillConfig, classes: int, device: torch.device) -> Self:
        """Load the weights that an experiment names.

        Raises:
            CheckpointError: see `load_model`.
            ConfigError: a teacher knows another number of classes.
        """
        models = []
        for path in config.weights:
            model = load_model(path).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            if model.config.classes != classes:
                raise ConfigError(
                    f"`distill.weights`: `{path}` tells {model.config.classes} classes apart, "
                    f"`model.classes` is {classes}"
                )
            models.append(model.requires_grad_(False))
        return cls(tuple(models), config.temperature, config.share, config.once)

    @torch.no_grad()
    def probabilities(self, pixels: Tensor) -> Tensor:
        """The mean over the teachers of softmax(logits / T), B x K, float32, for views B x 1 x S x S."""
        answers = [model(resized(pixels, model.config.image_size)).float() for model in self.models]
        return torch.stack([(logits / self.temperature).softmax(dim=1) for logits in answers]).mean(dim=0)

    @torch.no_grad()
    def taught(
        self, faces: LabelledFaces, size_px: int, device: torch.device, batch_size: int = 256
    ) -> LabelledFaces:
        """The same N faces, a share of their targets (N x K) what the teachers say of the whole face.

        That is their mean answer to all its frames, plain and mirrored, cut at `size_px`: steadier than
        to any one view, and asked once.
        """
        total = np.zeros_like(faces.targets)
        for number in range(faces.frames.shape[1]):
            crops = plain_crops(faces.images, faces.frames[:, number : number + 1], size_px)
            for start in range(0, len(crops), batch_size):
                pixels = to_pixels(crops[start : start + batch_size], device)
                both = (self.probabilities(pixels) + self.probabilities(pixels.flip(3))) / 2
                total[start : start + batch_size] += both.cpu().numpy()
        answers = total / faces.frames.shape[1]
        return replace(faces, targets=faces.targets * (1 - self.share) + answers * self.share)


def resized(pixels: Tensor, size_px: int) -> Tensor:
    """The same views at the size that a teacher was trained at."""
    if pixels.shape[-1] == size_px:
        return pixels
    return functional.interpolate(
        pixels, size=(size_px, size_px), mode="bilinear", align_corners=False, antialias=True
    )
