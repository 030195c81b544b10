"""The self-test crops: the same on every machine, for every size."""

import hashlib

import numpy as np
import pytest

from fer_gateway.inference.self_test import make_crops


@pytest.mark.parametrize(
    ("size_px", "sha256"),
    [
        (112, "d1e87ce6a1aab744ab2257f58b697ca1546c76e310916442b1a9578bed384348"),
        (224, "1b4251152425627bffd0388b684e3b98fbdc59e9de44e7804d8bd1fa8c343783"),
    ],
)
def test_crops_never_change(size_px: int, sha256: str) -> None:
    """Cards in the field hold answers to exactly these pixels."""
    crops = make_crops(size_px)
    assert crops.shape == (2, size_px, size_px, 1)
    assert crops.dtype == np.uint8
    assert hashlib.sha256(crops.tobytes()).hexdigest() == sha256


@pytest.mark.parametrize("size_px", [16, 24, 48, 112, 224, 512])
def test_crops_use_the_range_of_a_face(size_px: int) -> None:
    ramp, face = make_crops(size_px)[..., 0]
    assert ramp.min() < 20
    assert ramp.max() > 220
    assert np.ptp(face) > 120
    assert not np.array_equal(ramp, face)
