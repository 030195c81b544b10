"""What training makes small: cross-entropy to vote shares, balanced, smoothed, adjusted, or a teacher's."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fer_training.learning.config import ExperimentConfig
from fer_training.learning.teachers import Teachers


@dataclass(frozen=True, slots=True)
class Objective:
    """The mean loss of a batch.

    `class_weights` (K) is what a vote for each class weighs. `offsets` (K) are added to the logits: tau log
    pi of Menon et al. 2021, equation 10, with the classes' frequencies pi, so that the plain logits answer as
    if all classes were as frequent. `smoothing` is spread over all classes (Szegedy et al. 2016, section 7).
    """

    class_weights: Tensor
    offsets: Tensor
    smoothing: float = 0.0
    teachers: Teachers | None = None

    @classmethod
    def of(
        cls,
        config: ExperimentConfig,
        targets: NDArray[np.float32],
        device: torch.device,
        teachers: Teachers | None,
    ) -> Self:
        """What an experiment asks for on training targets N x K."""
        return cls(
            class_weights=balancing_weights(targets, config.balance).to(device),
            offsets=(config.logit_adjustment * frequencies(targets).log()).to(device),
            smoothing=config.label_smoothing,
            teachers=teachers,
        )

    def __call__(self, pixels: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
        """A scalar for logits and targets B x K of the views B x 1 x S x S."""
        logits = logits.float()
        smoothed = targets.lerp(torch.full_like(targets, 1 / targets.shape[1]), self.smoothing)
        losses = functional.cross_entropy(logits + self.offsets, smoothed, reduction="none")
        loss = (losses * (targets @ self.class_weights)).mean()
        if self.teachers is None:
            return loss
        taught = distillation(logits, self.teachers.probabilities(pixels), self.teachers.temperature)
        return loss.lerp(taught, self.teachers.share)


def distillation(logits: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T^2 times the mean KL(teacher || student), both softened by T (Hinton et al. 2015, section 2).

    `logits` are the student's, `teacher` the probabilities at this temperature, both B x K.
    """
    student = (logits / temperature).log_softmax(dim=1)
    return functional.kl_div(student, teacher, reduction="batchmean") * temperature**2


def frequencies(targets: NDArray[np.float32]) -> Tensor:
    """The share of each class among targets N x K, at least that of one face."""
    return torch.from_numpy(targets).mean(dim=0).clamp(min=1 / len(targets))


def balancing_weights(targets: NDArray[np.float32], power: float) -> Tensor:
    """The weight of each class, K: inverse frequency to a power, scaled so that the mean face weighs 1.

    A face weighs the mean over its votes: rare classes count more, and the vote shares stay the target.
    """
    weights = frequencies(targets) ** -power
    return weights / (torch.from_numpy(targets).mean(dim=0) @ weights)
