"""Explanations: what is hidden and what is not, the sums of the grid, and whether the grid is right."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_gateway.analyzer import Analyzer
from fer_gateway.contract import EMOTIONS
from fer_gateway.errors import DamagedImage, EmptyImage, InvalidRequest, NoFaceFound
from fer_gateway.explain import draw_heat_map, explain, explanation_to_dict, png_url
from fer_gateway.inference.model import EmotionModel
from fer_gateway.vision.occlusion import CELLS, falls_of_cells, occluded, sliding_windows

STRONGEST_SHARE = 0.2


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> Analyzer:
    return Analyzer.open(tiny_model)


@pytest.fixture(scope="module")
def shipped(default_model: Path) -> Analyzer:
    return Analyzer.open(default_model)


def png(grey: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", grey)[1])


def pixels_of(url: str) -> NDArray[np.uint8]:
    """The picture in a data URL, with alpha where it has one."""
    head, _, text = url.partition(",")
    assert head == "data:image/png;base64"
    data = base64.b64decode(text, validate=True)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_windows_cover_every_cell() -> None:
    windows = sliding_windows()
    assert len(windows) == 49  # with the untouched crop one batch of the model
    assert len({window.tobytes() for window in windows}) == 49
    assert (windows.sum(axis=(1, 2)) == 4).all()
    covered = windows.sum(axis=0)
    assert covered.min() == 1  # corners
    assert (covered[1:-1, 1:-1] == 4).all()


@given(size_px=st.integers(16, 130), seed=st.integers(0, 99))
def test_only_hidden_cells_change(size_px: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    crop = random.integers(0, 256, (size_px, size_px), np.uint8)
    masks = random.random((3, CELLS, CELLS)) < 0.4
    hidden = occluded(crop, masks)
    assert hidden.shape == (3, size_px, size_px)
    assert hidden.dtype == np.uint8
    for mask, picture in zip(masks, hidden, strict=True):
        rows, columns = np.divmod(np.flatnonzero(~mask), CELLS)
        for row, column in zip(rows, columns, strict=True):
            top, bottom = -(-row * size_px // CELLS), -(-(row + 1) * size_px // CELLS)
            left, right = -(-column * size_px // CELLS), -(-(column + 1) * size_px // CELLS)
            np.testing.assert_array_equal(picture[top:bottom, left:right], crop[top:bottom, left:right])
    everything = occluded(crop, np.ones((1, CELLS, CELLS), np.bool_))[0]
    assert everything.std() < crop.std() / 2  # noise is gone, its mean is not
    assert everything.mean() == pytest.approx(crop.mean(), abs=3)


def test_an_even_crop_hides_nothing() -> None:
    crop = np.full((48, 48), 133, np.uint8)
    assert (occluded(crop, sliding_windows()) == 133).all()


def test_a_part_that_matters_is_found_in_its_cell() -> None:
    """A window's fall is the number of decisive cells in it: the mean is highest at that cell alone."""
    falls = sliding_windows()[:, 5, 2].astype(np.float64)
    grid = falls_of_cells(falls)
    assert grid.argmax() == 5 * CELLS + 2
    assert grid[5, 2] == 1
    assert (np.delete(grid.ravel(), 5 * CELLS + 2) < 1).all()
    np.testing.assert_allclose(falls_of_cells(np.full(49, -0.25)), -0.25)


@given(
    falls=st.lists(st.floats(-1, 1), min_size=CELLS**2, max_size=CELLS**2), size_px=st.sampled_from([24, 80])
)
def test_heat_is_seen_where_evidence_falls(falls: list[float], size_px: int) -> None:
    grid = np.array(falls).reshape(CELLS, CELLS)
    heat_map = draw_heat_map(grid, size_px)
    assert heat_map.shape == (size_px, size_px, 4)
    assert heat_map.dtype == np.uint8
    alpha = heat_map[..., 3]
    if grid.max() <= 0:
        assert (alpha == 0).all()
    elif grid.max() > 0.1:
        row, column = (int(index) for index in np.unravel_index(grid.argmax(), grid.shape))
        cell = size_px // CELLS
        hottest = alpha[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
        assert hottest.max() >= 0.85 * alpha.max() > 90  # no pixel lies quite at the centre of a cell


def test_noise_is_not_blown_up_to_heat() -> None:
    assert draw_heat_map(np.full((CELLS, CELLS), 1e-6), 80)[..., 3].max() == 0


@pytest.mark.parametrize("photo", ["grace_hopper", "astronaut"])
def test_the_face_is_that_of_an_analysis(photo: str, tiny: Analyzer, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(photo).read_bytes()
    face, *_ = tiny.analyze(data).faces
    explanation = explain(tiny, data)
    assert explanation.label == face.label == explanation.face.label
    assert explanation.probability == pytest.approx(face.confidence, abs=1e-5)
    assert explanation.face.box == face.box
    assert explanation.falls.shape == (CELLS, CELLS)


def test_json(tiny: Analyzer, astronaut: Path) -> None:
    explanation = explain(tiny, astronaut.read_bytes())
    as_dict = explanation_to_dict(explanation, tiny.card)
    assert as_dict["label"] == explanation.label
    assert np.array(as_dict["grid"]) == pytest.approx(explanation.falls, abs=1e-6)
    np.testing.assert_array_equal(pixels_of(as_dict["crop"]), explanation.crop)
    heat_map = pixels_of(as_dict["heat_map"])
    assert heat_map.shape == (*explanation.crop.shape, 4)
    assert heat_map[..., 3].std() > 10


def test_another_class(shipped: Analyzer, astronaut: Path) -> None:
    data = astronaut.read_bytes()
    explanations = [explain(shipped, data, label) for label in EMOTIONS]
    assert [explanation.label for explanation in explanations] == list(EMOTIONS)
    assert sum(explanation.probability for explanation in explanations) == pytest.approx(1, abs=1e-4)
    # What one class loses, the others win: the grids of all classes cancel out.
    assert sum(explanation.falls for explanation in explanations) == pytest.approx(0, abs=1e-4)


def test_the_largest_of_two_faces(tiny: Analyzer, grace_hopper: Path, astronaut: Path) -> None:
    large = cv2.imread(str(grace_hopper), cv2.IMREAD_GRAYSCALE)
    small = cv2.imread(str(astronaut), cv2.IMREAD_GRAYSCALE)
    assert large is not None
    assert small is not None
    picture = np.hstack([small[:512], large[:512]]).astype(np.uint8)
    assert explain(tiny, png(picture)).face.box.x > 0.5


def test_errors(tiny: Analyzer, astronaut: Path) -> None:
    with pytest.raises(NoFaceFound, match="whole face"):
        explain(tiny, png(np.full((120, 160), 90, np.uint8)))
    with pytest.raises(NoFaceFound):
        explain(tiny, png(np.zeros((1, 1), np.uint8)))
    with pytest.raises(InvalidRequest, match=r"`joy`.*`neutral`, `happiness`, .*`contempt`"):
        explain(tiny, astronaut.read_bytes(), "joy")
    with pytest.raises(EmptyImage):
        explain(tiny, b"")
    with pytest.raises(DamagedImage):
        explain(tiny, astronaut.read_bytes()[:5000])


def test_png_urls_keep_every_pixel() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 4), np.uint8)
    np.testing.assert_array_equal(pixels_of(png_url(pixels)), pixels)


def test_the_strongest_cells_matter_more_than_others(
    shipped: Analyzer, astronaut: Path, grace_hopper: Path
) -> None:
    """Hiding the strongest fifth of the cells costs at least 1.5 times what hiding a random fifth costs.

    `python -m fer_training explain` measures the same over many faces of FER+.
    """
    random = np.random.default_rng(3)
    strongest_falls, random_falls = [], []
    for photo in (astronaut, grace_hopper):
        explanation = explain(shipped, photo.read_bytes())
        strongest = np.argsort(-explanation.evidence, axis=None)
        shuffled = [random.permutation(CELLS**2) for _ in range(20)]
        masks = np.zeros((21, CELLS**2), np.bool_)
        for mask, order in zip(masks, [strongest, *shuffled], strict=True):
            mask[order[: round(STRONGEST_SHARE * CELLS**2)]] = True
        falls = explanation.probability - probability_of(
            shipped.model, explanation.label, explanation.crop, masks
        )
        strongest_falls.append(falls[0])
        random_falls.append(falls[1:].mean())
    assert np.mean(strongest_falls) > 0.1
    assert np.mean(strongest_falls) >= 1.5 * np.mean(random_falls)


def probability_of(
    model: EmotionModel, label: str, crop: NDArray[np.uint8], masks: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Probability of a class with the cells of each mask (N x `CELLS`^2) hidden."""
    pictures = occluded(crop, masks.reshape(-1, CELLS, CELLS))
    return model.predict(pictures[..., None])[:, model.card.labels.index(label)]
