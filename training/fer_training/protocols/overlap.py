"""How much of a test set is known from training: frames of the same sequence, faces of the same person."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fer_gateway.contract import Fraction, Frozen


class Overlap(Frozen):
    """Shares of the test images; a split with any is leaky, and measures memory too."""

    sequence: Fraction = Field(description="Share with another frame of their sequence in training.")
    subject: Fraction = Field(description="Share with the same person in training.")

    @property
    def leaky(self) -> bool:
        """Whether training saw anything of the test."""
        return self.sequence > 0 or self.subject > 0

    def __str__(self) -> str:
        mark = "LEAKY" if self.leaky else "clean"
        return (
            f"{mark}: {self.sequence:.1%} of the test images have a frame of their sequence in training, "
            f"{self.subject:.1%} their person"
        )


def overlap(
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    sequences: NDArray[np.int64],
    subjects: NDArray[np.int64],
) -> Overlap:
    """The overlap of two sets of indices into `sequences` and `subjects` (N each)."""
    return Overlap(sequence=_known(sequences, train, test), subject=_known(subjects, train, test))


def mean_overlap(overlaps: list[Overlap], sizes: list[int]) -> Overlap:
    """Of several tests together, by their numbers of images."""
    weights = np.array(sizes) / sum(sizes)
    return Overlap(
        sequence=float(weights @ [one.sequence for one in overlaps]),
        subject=float(weights @ [one.subject for one in overlaps]),
    )


def _known(marks: NDArray[np.int64], train: NDArray[np.int64], test: NDArray[np.int64]) -> float:
    return float(np.isin(marks[test], marks[train]).mean())
