"""What a new model takes over from trained weights, and what starts fresh."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_gateway.contract import EMOTIONS
from fer_training.data.ckplus import CLASSES
from fer_training.errors import CheckpointError
from fer_training.learning.config import ExperimentConfig
from fer_training.learning.origin import Origin
from fer_training.learning.start import start_from
from fer_training.network.checkpoint import save_weights
from fer_training.network.model import Hybrid, HybridConfig
from fer_training.network.transfer import transfer

OLD = HybridConfig(image_size=48, width=0.25, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16)
CLASSIFIER = ("classifier.weight", "classifier.bias")


@pytest.fixture(scope="module")
def old() -> Hybrid:
    torch.manual_seed(3)
    model = Hybrid(OLD)
    with torch.no_grad():
        model.theta.fill_(0.7)
        for _ in range(3):
            model(torch.randn(4, 1, 48, 48))  # moves the statistics of the batch norms
    return model.eval()


@pytest.mark.parametrize(
    ("changes", "fresh"),
    [
        ({}, ()),
        ({"classes": 7}, CLASSIFIER),
        ({"image_size": 64}, ()),
        ({"image_size": 64, "classes": 5}, CLASSIFIER),
        ({"fusion": "half", "classes": 7}, CLASSIFIER),
        ({"fusion": "mobilenet"}, ()),
        ({"token_stride": 8}, ("vit.embed.weight",)),
    ],
)
def test_all_that_fits_is_taken_over(old: Hybrid, changes: dict[str, Any], fresh: tuple[str, ...]) -> None:
    config = replace(OLD, **changes)
    new, started_fresh = transfer(old, config)
    assert new.config == config
    assert set(started_fresh) == set(fresh)
    state = old.state_dict()
    for name, tensor in new.state_dict().items():
        if name not in (*fresh, "vit.position", "theta"):
            assert torch.equal(tensor, state[name]), name
    for name in fresh:
        assert not torch.equal(new.state_dict()[name].flatten()[:4], state[name].flatten()[:4]), name
    assert not new.training


def test_the_same_shape_gives_the_same_answers(old: Hybrid) -> None:
    new, _ = transfer(old, OLD)
    faces = torch.randn(3, 1, 48, 48)
    with torch.inference_mode():
        torch.testing.assert_close(new(faces), old(faces))
    assert new.share == old.share


def test_a_fixed_share_is_not_taken_over(old: Hybrid) -> None:
    assert float(transfer(old, replace(OLD, fusion="half"))[0].share.detach()) == 0.5


def test_weights_of_another_shape_are_refused(old: Hybrid) -> None:
    with pytest.raises(CheckpointError, match=r"another shape; set `\[model\]`"):
        transfer(old, replace(OLD, width=0.5))


def test_the_old_model_is_left_alone(old: Hybrid) -> None:
    before = {name: tensor.clone() for name, tensor in old.state_dict().items()}
    new, _ = transfer(old, replace(OLD, classes=7))
    with torch.no_grad():
        for parameter in new.parameters():
            parameter.add_(1)
    for name, tensor in old.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize(
    ("labels", "fresh"),
    [
        (EMOTIONS, ()),
        (("a", "b", *EMOTIONS[:6]), ("classifier[contempt]", "classifier[fear]")),
        (tuple("abcdefgh"), CLASSIFIER),
        (EMOTIONS[:7], CLASSIFIER),  # names that cannot be those of its eight classes
    ],
)
def test_classes_of_the_same_emotion_keep_their_rows(
    tmp_path: Path, old: Hybrid, labels: tuple[str, ...], fresh: tuple[str, ...]
) -> None:
    """With neutral left out, a model on CK+ starts with the answers it has, as far as it knows the labels."""
    save_weights(old, tmp_path / "old.safetensors")
    Origin(labels=labels).keep(tmp_path)
    config = ExperimentConfig(name="x", model=replace(OLD, classes=7))
    start = start_from(tmp_path / "old.safetensors", config, CLASSES)
    assert start.model is not None
    assert start.fresh == fresh
    known = [] if fresh == CLASSIFIER else [name for name in CLASSES if f"classifier[{name}]" not in fresh]
    rows = [labels.index(name.replace("happy", "happiness")) for name in known]
    faces = torch.randn(3, 1, 48, 48)
    with torch.inference_mode():
        answers, before = start.model(faces), old(faces)
    for number, name in enumerate(CLASSES):
        same = torch.isclose(answers[:, [number]], before, atol=1e-6).all(dim=0)
        assert same.nonzero().flatten().tolist() == ([rows[known.index(name)]] if name in known else [])
