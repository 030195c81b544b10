"""The mean of the weights of several models."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn

from fer_training.cli import main
from fer_training.errors import ConfigError
from fer_training.network.averaging import averaged
from fer_training.network.checkpoint import load_model, save_weights
from fer_training.network.model import Hybrid, HybridConfig

SHAPE = HybridConfig(image_size=32, width=0.25, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16)


def drawn(seed: int) -> Hybrid:
    torch.manual_seed(seed)
    model = Hybrid(SHAPE)
    for buffer in model.buffers():
        if buffer.is_floating_point():
            nn.init.uniform_(buffer, 0.5, 1.5)
    return model.eval()


def test_every_weight_and_running_value_is_averaged() -> None:
    one, other = drawn(0), drawn(1)
    mean = averaged([one, other], [1, 3])
    for name, tensor in mean.state_dict().items():
        if tensor.is_floating_point():
            expected = one.state_dict()[name] / 4 + other.state_dict()[name] * 3 / 4
            torch.testing.assert_close(tensor, expected, msg=name)
    assert not mean.training


def test_a_model_is_its_own_mean() -> None:
    model, pixels = drawn(0), torch.randn(3, 1, 32, 32)
    torch.testing.assert_close(averaged([model, drawn(0)])(pixels), model(pixels))


def test_the_models_stay_as_they_are() -> None:
    one, before = drawn(0), drawn(0).state_dict()
    averaged([one, drawn(1)])
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(tensor, before[name])


@pytest.mark.parametrize("shares", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, 1.0, 1.0]])
def test_shares_that_are_none(shares: list[float]) -> None:
    with pytest.raises(ConfigError, match="2 models need as many shares above 0"):
        averaged([drawn(0), drawn(1)], shares)


def test_shapes_that_differ() -> None:
    with pytest.raises(ConfigError, match="different shapes"):
        averaged([drawn(0), Hybrid(dataclasses.replace(SHAPE, image_size=48))])


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / f"{seed}.safetensors" for seed in (0, 1)]
    for seed, path in enumerate(paths):
        save_weights(drawn(seed), path)
    out = tmp_path / "soup" / "last.safetensors"
    command = ["average", *map(str, paths), "--shares", "1", "3", "--out", str(out)]
    assert main(command) == 0
    torch.testing.assert_close(
        load_model(out).state_dict(), averaged([drawn(0), drawn(1)], [1, 3]).state_dict()
    )
    assert "the mean of 2 weights" in capsys.readouterr().out
    assert main(["average", str(tmp_path / "none.safetensors"), "--out", str(out)]) == 1
    assert "does not exist" in capsys.readouterr().err
