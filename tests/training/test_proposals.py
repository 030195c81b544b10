"""The proposal network: its views and targets, its training, and its export."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fer_gateway.inference.proposals import ProposalModel
from fer_training.commands.proposals import card_of
from fer_training.detection.pictures import load_material
from fer_training.proposals.export import write_proposals
from fer_training.proposals.network import STRIDE, ProposalNet
from fer_training.proposals.train import ProposalConfig, train
from fer_training.proposals.views import FACE_PX, VIEW_PX, View, random_view


def views(count: int) -> list[View]:
    material = load_material(None, "train")
    faces = [portrait.image for portrait in material.faces]
    return [random_view(faces, material.grounds, np.random.default_rng((1, seed))) for seed in range(count)]


def test_targets_lie_where_the_shifts_point() -> None:
    """All places that answer for a face agree where it is and how large."""
    places = 0
    for view in views(60):
        assert view.pixels.shape == (VIEW_PX, VIEW_PX)
        assert set(np.unique(view.target)) <= {-1.0, 0.0, 1.0}
        for index, size in enumerate(FACE_PX):
            rows, columns = np.nonzero(view.target[index] == 1)
            x = columns * STRIDE + STRIDE / 2 + view.shifts[3 * index, rows, columns] * size
            sides = size * 2 ** view.shifts[3 * index + 2, rows, columns]
            if len(rows) == 0:
                continue
            places += 1
            assert (size * 0.84 <= sides).all()
            assert (sides <= size * 1.19).all()
            assert all(np.abs(x - one).min() < 1e-3 for one in x)
            assert np.abs(columns * STRIDE + STRIDE / 2 - x).max() <= 0.26 * 1.19 * size
    assert places > 10


def test_the_same_seed_gives_the_same_view() -> None:
    first, second = views(1)[0], views(1)[0]
    np.testing.assert_array_equal(first.pixels, second.pixels)
    np.testing.assert_array_equal(first.target, second.target)


def test_a_trained_network_is_exported_and_answers_the_same(tmp_path: Path) -> None:
    """Some steps lower the loss on its own views; the file passes its self-test and gives the same scores."""
    material = load_material(None, "train")
    faces = [portrait.image for portrait in material.faces]
    network = train(faces, material.grounds, ProposalConfig(width=4, steps=25, batch_size=8))
    untrained = ProposalNet(4).eval()
    assert separation(network) > separation(untrained)
    path = tmp_path / "proposals.onnx"
    write_proposals(network, card_of(network, "0.0.1"), path)
    model = ProposalModel.open(path)
    pixels = np.random.default_rng(0).normal(size=(50, 71)).astype(np.float32)
    scores, shifts = model.run(pixels)
    with torch.inference_mode():
        expected = [part[0].numpy() for part in network(torch.from_numpy(pixels)[None, None])]
    np.testing.assert_allclose(scores, expected[0], atol=0.02)
    np.testing.assert_allclose(shifts, expected[1], atol=0.02)
    assert scores.shape == (2, 13, 18)


def separation(network: ProposalNet) -> float:
    """Mean score where faces are minus that where none are."""
    seen = views(40)
    with torch.inference_mode():
        scores = network(torch.from_numpy(np.stack([view.pixels for view in seen])[:, None]))[0].numpy()
    target = np.stack([view.target for view in seen])
    return float(scores[target == 1].mean() - scores[target == 0].mean())


@pytest.mark.parametrize("shape", [(16, 16), (17, 33), (150, 200)])
def test_every_fourth_pixel_is_a_place(shape: tuple[int, int]) -> None:
    scores, shifts = ProposalNet(4).eval()(torch.zeros(1, 1, *shape))
    places = tuple(-(-length // STRIDE) for length in shape)
    assert tuple(scores.shape[1:]) == (2, *places)
    assert tuple(shifts.shape[1:]) == (6, *places)
