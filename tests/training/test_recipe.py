"""What each field of a recipe does, in numbers."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from fer_training.crops.batches import plain_crops
from fer_training.data.datasets import open_data
from fer_training.errors import ConfigError
from fer_training.learning.config import DistillConfig, ExperimentConfig, load_config
from fer_training.learning.losses import Objective, distillation
from fer_training.learning.mixing import blended, mixed, pasted
from fer_training.learning.optimization import (
    at_worst_neighbour,
    frozen_statistics,
    make_optimizer,
    mixed_precision,
)
from fer_training.learning.stepping import Stepper
from fer_training.learning.teachers import Teachers
from fer_training.learning.train import Trainer, predict_logits
from fer_training.network.checkpoint import load_model, save_weights
from fer_training.network.model import Hybrid, HybridConfig

CPU = torch.device("cpu")
SHAPE = HybridConfig(image_size=32, width=0.25, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16)


def experiment(**changes: object) -> ExperimentConfig:
    return ExperimentConfig.model_validate({"name": "recipe", "model": SHAPE, **changes})


def batch(count: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Views B x 1 x 32 x 32 and targets B x 8, one-hot."""
    random = torch.Generator().manual_seed(seed)
    targets = torch.eye(8)[torch.randint(8, (count,), generator=random)]
    return torch.randn(count, 1, 32, 32, generator=random), targets


# --- Mixing ---------------------------------------------------------------------------------------


def test_mixup_blends_views_and_targets_by_one_share() -> None:
    pixels, targets = batch()
    partners = torch.tensor([1, 0, 3, 2, 5, 4])
    views, shares = blended(pixels, targets, partners, 0.75)
    torch.testing.assert_close(views, 0.75 * pixels + 0.25 * pixels[partners])
    torch.testing.assert_close(shares, 0.75 * targets + 0.25 * targets[partners])


@given(share=st.floats(0, 1), x=st.floats(0, 1), y=st.floats(0, 1))
def test_cutmix_gives_targets_by_the_pixels_that_stayed(share: float, x: float, y: float) -> None:
    targets = torch.eye(2)
    views, shares = pasted(torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 32, 32), targets,
                           torch.tensor([1, 0]), share, (x, y))  # fmt: skip
    other = views[0].mean()
    assert float(shares[0, 1]) == pytest.approx(float(other), abs=1e-6)
    assert float(shares[0, 0]) == pytest.approx(1 - float(other), abs=1e-6)
    assert float(other) <= 1 - share + 2 / 32 + 1e-6, "a rectangle of 1 - lambda, less where it is cut off"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, 0.0), ({"mixup": 0.4}, 1.0), ({"mixup": 0.4, "mix_share": 0.25}, 0.25), ({"cutmix": 1.0}, 1.0)],
)
def test_as_many_batches_are_mixed_as_asked(changes: dict[str, float], expected: float) -> None:
    config, (pixels, targets) = experiment(**changes), batch()
    changed = [
        not torch.equal(mixed(pixels, targets, config, np.random.default_rng(seed))[0], pixels)
        for seed in range(200)
    ]
    assert np.mean(changed) == pytest.approx(expected, abs=0.1)


def test_targets_stay_shares_whichever_way_is_drawn() -> None:
    config, (pixels, targets) = experiment(mixup=0.4, cutmix=1.0), batch()
    blends = 0
    for seed in range(60):
        views, shares = mixed(pixels, targets, config, np.random.default_rng(seed))
        torch.testing.assert_close(shares.sum(dim=1), torch.ones(6))
        is_old = (views[:, None] == pixels[None]).any(dim=1)
        blends += not bool(is_old.float().mean() > 0.99)
    assert 15 < blends < 45


# --- Losses ---------------------------------------------------------------------------------------


def loss_of(config: ExperimentConfig, logits: Tensor, targets: Tensor, counts: Sequence[int]) -> float:
    """The loss of a batch where the training faces count so many of each class."""
    faces = np.repeat(np.eye(len(counts), dtype=np.float32), counts, axis=0)
    objective = Objective.of(config, faces, CPU, None)
    return float(objective(torch.empty(0), logits, targets))


def test_smoothing_moves_the_best_logits_from_infinity() -> None:
    targets = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    grid = torch.arange(0, 20, 0.01)
    for smoothing in (0.1, 0.2):
        config = experiment(label_smoothing=smoothing)
        losses = [
            loss_of(config, torch.tensor([[float(z), 0, 0, 0]]), targets, (1, 1, 1, 1)) for z in grid[::10]
        ]
        best = float(grid[::10][int(np.argmin(losses))])
        right = 1 - smoothing * 3 / 4  # the smoothed target of the right class
        assert best == pytest.approx(np.log(right / (smoothing / 4)), abs=0.06)
    sharp = [loss_of(experiment(), torch.tensor([[z, 0, 0, 0]]), targets, (1, 1, 1, 1)) for z in (5.0, 10.0)]
    assert sharp[1] < sharp[0]


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_adjusted_logits_answer_without_the_prior(tau: float) -> None:
    """Of a constant model: logits fitted to classes in the ratio 9:1 differ by (1 - tau) log 9."""
    counts, faces = (9, 1), torch.eye(2).repeat_interleave(torch.tensor([9, 1]), dim=0)
    objective = Objective.of(experiment(logit_adjustment=tau), faces.numpy(), CPU, None)
    logits = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=100, tolerance_grad=1e-9)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objective(torch.empty(0), logits.expand(sum(counts), 2), faces)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    assert float((logits[0] - logits[1]).detach()) == pytest.approx((1 - tau) * np.log(9), abs=1e-3)


def test_distillation_is_hintons() -> None:
    random = torch.Generator().manual_seed(0)
    student, teacher = torch.randn(5, 8, generator=random), torch.randn(5, 8, generator=random)
    for temperature in (1.0, 3.0):
        soft = (teacher / temperature).softmax(dim=1)
        mine = (student / temperature).softmax(dim=1)
        expected = temperature**2 * (soft * (soft / mine).log()).sum(dim=1).mean()
        assert float(distillation(student, soft, temperature)) == pytest.approx(float(expected), rel=1e-5)
        assert float(distillation(teacher, soft, temperature)) == pytest.approx(0, abs=1e-6)


# --- Teachers -------------------------------------------------------------------------------------


@pytest.fixture
def teachers(tmp_path: Path) -> list[Path]:
    """Weights of two models, of different picture sizes."""
    paths = []
    for seed, size in enumerate((32, 48)):
        torch.manual_seed(seed)
        paths.append(tmp_path / f"teacher{size}.safetensors")
        model = Hybrid(dataclasses.replace(SHAPE, image_size=size))
        nn.init.normal_(model.classifier.weight, std=1.0)
        save_weights(model, paths[-1])
    return paths


def test_teachers_answer_as_the_mean_of_an_ensemble(teachers: list[Path]) -> None:
    pixels, _ = batch()
    both = Teachers.open(DistillConfig(weights=tuple(teachers), temperature=2.0), 8, CPU)
    singly = [Teachers.open(DistillConfig(weights=(path,), temperature=2.0), 8, CPU) for path in teachers]
    answers = [one.probabilities(pixels) for one in singly]
    torch.testing.assert_close(both.probabilities(pixels), (answers[0] + answers[1]) / 2)
    first = (load_model(teachers[0])(pixels) / 2).softmax(dim=1)
    torch.testing.assert_close(answers[0], first.detach())
    assert not answers[0].requires_grad


def test_a_student_comes_to_answer_like_its_teachers(
    tmp_path: Path, teachers: list[Path], ferplus_folder: Path
) -> None:
    data = open_data(ferplus_folder)
    train, validation = (data.split(part, "majority", twins=True) for part in ("train", "validation"))
    far = {}
    for share, once in ((0.0, False), (1.0, False), (1.0, True)):
        distill = DistillConfig(weights=tuple(teachers), temperature=1.0, share=share, once=once)
        config = experiment(epochs=6, batch_size=16, learning_rate=5e-3, ema_decay=0.0, distill=distill)
        trainer = Trainer(config, tmp_path / f"{share}-{once}", CPU)
        trainer.fit(train, validation)
        ((pixels, _), *_) = trainer._batches(train).tensors(0)
        taught = Teachers.open(distill, 8, CPU).probabilities(pixels)
        with torch.no_grad():
            far[share, once] = float(distillation(trainer.averaged().eval()(pixels), taught, 1.0))
    assert far[1.0, False] < 0.5 * far[0.0, False]
    assert far[1.0, True] < 0.5 * far[0.0, False]


def test_teachers_asked_once_answer_for_the_whole_face(teachers: list[Path], ferplus_folder: Path) -> None:
    faces = open_data(ferplus_folder).split("train", "majority", twins=True)[:5]
    wide, narrow = faces.frames, faces.frames * np.float32(0.8)
    faces = faces.aligned(np.concatenate([wide, narrow], axis=1))
    distill = DistillConfig(weights=(teachers[0],), temperature=1.0, share=0.25, once=True)
    taught = Teachers.open(distill, 8, CPU).taught(faces, 32, CPU, batch_size=2)
    model, answers = load_model(teachers[0]), []
    for frames in (wide, narrow):
        crops = plain_crops(faces.images, frames, 32)
        answers += [predict_logits(model, crops, CPU), predict_logits(model, crops[:, :, ::-1].copy(), CPU)]
    mean = torch.from_numpy(np.stack(answers)).softmax(dim=2).mean(dim=0).numpy()
    assert np.allclose(taught.targets, 0.75 * faces.targets + 0.25 * mean, atol=1e-5)
    assert np.allclose(taught.targets.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(taught.labels, faces.labels)


def test_a_teacher_of_other_classes_is_refused(tmp_path: Path) -> None:
    save_weights(Hybrid(dataclasses.replace(SHAPE, classes=7)), tmp_path / "seven.safetensors")
    config = experiment(distill={"weights": [str(tmp_path / "seven.safetensors")]})
    with pytest.raises(ConfigError, match=r"seven.safetensors` tells 7 classes apart, `model.classes` is 8"):
        Trainer(config, tmp_path, CPU)


def test_the_table_of_a_file_names_teachers(tmp_path: Path) -> None:
    path = tmp_path / "student.toml"
    path.write_text(
        '[distill]\nweights = ["a.safetensors", "b.safetensors"]\ntemperature = 3.0\nshare = 0.7\n'
    )
    distill = load_config(path).distill
    assert distill == DistillConfig(
        weights=(Path("a.safetensors"), Path("b.safetensors")), temperature=3, share=0.7
    )
    path.write_text("[distill]\nweights = []\n")
    with pytest.raises(ConfigError, match=r"`distill.weights`: Tuple should have at least 1 item"):
        load_config(path)


# --- Steps ----------------------------------------------------------------------------------------


class Quadratic(nn.Module):
    """Logits x w for pixels x (B x 1 x 1 x 4), with a layer that counts its batches."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(4, 3, bias=False)
        self.count = nn.BatchNorm2d(1)

    def forward(self, pixels: Tensor) -> Tensor:
        self.count(pixels)
        logits: Tensor = self.linear(pixels.flatten(1))
        return logits


def squared(_pixels: Tensor, logits: Tensor, targets: Tensor) -> Tensor:
    return (logits - targets).square().mean()


def small_batches(count: int, size: int) -> list[tuple[Tensor, Tensor]]:
    random = torch.Generator().manual_seed(3)
    return [
        (torch.randn(size, 1, 2, 2, generator=random), torch.rand(size, 3, generator=random))
        for _ in range(count)
    ]


def stepped(batches: Sequence[tuple[Tensor, Tensor]], sam_rho: float = 0.0) -> tuple[Quadratic, Tensor]:
    """The model after one plain step of rate 0.1, and what was measured."""
    model = Quadratic()
    optimizer = torch.optim.SGD(model.linear.parameters(), lr=0.0)
    return model, Stepper(model, optimizer, squared, CPU, sam_rho).step(batches, 0.1)


def test_accumulated_batches_are_one_large_batch() -> None:
    parts = small_batches(3, 4)
    whole = (torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts]))
    (one, measured_one), (three, measured_three) = stepped([whole]), stepped(parts)
    torch.testing.assert_close(three.linear.weight, one.linear.weight)
    torch.testing.assert_close(measured_three, measured_one)
    assert not torch.allclose(stepped(parts[:1])[0].linear.weight, one.linear.weight)


def test_the_perturbed_step_is_that_of_foret() -> None:
    (batch_,) = small_batches(1, 8)
    start, rho = Quadratic(), 0.3
    pixels, targets = batch_

    def gradient(weights: Tensor) -> Tensor:
        weights = weights.detach().requires_grad_()
        loss = squared(pixels, pixels.flatten(1) @ weights.T, targets)
        return torch.autograd.grad(loss, weights)[0]

    weights = start.linear.weight.detach()
    plain = gradient(weights)
    expected = weights - 0.1 * gradient(weights + rho * plain / plain.norm())
    model, measured = stepped([batch_], rho)
    torch.testing.assert_close(model.linear.weight.detach(), expected)
    assert not torch.allclose(expected, weights - 0.1 * plain, atol=1e-4)
    assert float(measured[0]) == pytest.approx(float(squared(pixels, pixels.flatten(1) @ weights.T, targets)))
    assert model.count.state_dict()["num_batches_tracked"] == 1, (
        "the batch counts once in the running statistics"
    )


def test_after_the_perturbation_all_is_as_it_was() -> None:
    model = Quadratic()
    squared(*_forward(model)).backward()  # type: ignore[no-untyped-call]
    before = model.linear.weight.detach().clone()
    with at_worst_neighbour(model.parameters(), 0.5), frozen_statistics(model):
        assert float((model.linear.weight.detach() - before).norm()) == pytest.approx(0.5)
        assert not model.count.track_running_stats
    assert torch.equal(model.linear.weight, before)
    assert model.count.track_running_stats


def _forward(model: Quadratic) -> tuple[Tensor, Tensor, Tensor]:
    ((pixels, targets),) = small_batches(1, 4)
    return pixels, model(pixels), targets


def test_every_device_gets_an_optimizer() -> None:
    config = experiment()
    model = Hybrid(SHAPE)
    assert make_optimizer(model, config).defaults["fused"]
    assert not make_optimizer(model.to("meta"), config).defaults["fused"]


@pytest.mark.parametrize(
    ("device", "able", "expected"),
    [
        ("cpu", {"cuda", "emulated", "xpu", "mps", "macos 14.0"}, False),
        ("cuda", set(), False),
        ("cuda", {"emulated"}, False),
        ("cuda", {"cuda"}, True),
        ("xpu", set(), False),
        ("xpu", {"xpu"}, True),
        ("mps", set(), False),
        ("mps", {"mps"}, False),
        ("mps", {"macos 14.0"}, False),
        ("mps", {"mps", "macos 14.0"}, True),
    ],
)
def test_bfloat16_is_for_accelerators_that_compute_it(
    device: str, able: set[str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is made up: none has all of these devices, and few tests run on any."""
    asked = []

    def cuda(*, including_emulation: bool = True) -> bool:
        return "cuda" in able or (including_emulation and "emulated" in able)

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", cuda)
    monkeypatch.setattr(torch.xpu, "is_bf16_supported", lambda: "xpu" in able)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in able)
    monkeypatch.setattr(
        torch.backends.mps, "is_macos_or_newer", lambda major, minor: f"macos {major}.{minor}" in able
    )
    monkeypatch.setattr(torch, "autocast", lambda *where, enabled: asked.append((*where, enabled)))
    mixed_precision(torch.device(device))
    assert asked == [(device, torch.bfloat16, expected)]
