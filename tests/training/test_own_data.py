"""Own pictures in class folders: fine-tuned, calibrated, exported and served with the folders' names."""

import json
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
import torch

from fer_gateway.cli import main as gateway
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_MODEL
from fer_training.cli import main
from fer_training.errors import CheckpointError
from fer_training.learning.config import load_config
from fer_training.learning.origin import Origin, read_origin, require_labels
from fer_training.learning.start import start_from
from fer_training.network.checkpoint import load_model, save_weights
from fer_training.network.model import Hybrid, HybridConfig

from .conftest import make_faces

SHAPE = HybridConfig(image_size=32, width=0.25, vit_dim=16, vit_depth=1, vit_heads=2, fused_dim=16)
LABELS = ("Beaming astronaut", "admiral", "somebody else")
FACES = 40

OWN = """crop = "landmarks-v1"
frames = 2
epochs = 16
batch_size = 16
learning_rate = 5e-3
warmup_epochs = 0.5
ema_decay = 0.5
[augment]
zoom = 0.05
rotation_degrees = 5.0
shift = 0.03
erase = 0.0
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, astronaut: Path, grace_hopper: Path) -> Path:
    """Three folders, `FACES` pictures each, of 64 px and more."""
    folder = tmp_path_factory.mktemp("own") / "mine"
    small = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")[:FACES]
    strangers = [(255 * face / small.max()).astype(np.uint8) for face in small]
    photos = [[face for face, _ in make_faces([photo], FACES, 7)] for photo in (astronaut, grace_hopper)]
    for label, faces in zip(LABELS, [*photos, strangers], strict=True):
        (folder / label).mkdir(parents=True)
        for number, face in enumerate(faces):
            large = cv2.resize(face, (64, 64 + number % 2), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / label / f"{number:03}.png"), large)
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight emotions, untrained."""
    path = tmp_path_factory.mktemp("weights") / "eight.safetensors"
    torch.manual_seed(3)
    save_weights(Hybrid(SHAPE).eval(), path)
    return path


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, pictures: Path, weights: Path) -> Path:
    """The folder of a run with `own.onnx`."""
    run = tmp_path_factory.mktemp("runs") / "own"
    config, data = run.parent / "own.toml", ["--data", str(pictures)]
    config.write_text(OWN, encoding="utf-8")
    start = ["--weights", str(weights), "--run", str(run), "--device", "cpu"]
    assert main(["train", str(config), *data, *start]) == 0
    assert main(["framing", *data, "--run", str(run)]) == 0
    assert main(["calibrate", str(run), *data]) == 0
    out = ["--out", str(run / "own.onnx"), "--name", "own", "--version", "1.0.0"]
    assert main(["export", str(run), *data, *out]) == 0
    return run


def test_the_card_says_what_it_is(exported: Path) -> None:
    card = EmotionModel.open(exported / "own.onnx").card
    assert card.labels == LABELS
    assert [evaluation.data for evaluation in card.evaluations] == ["mine test"]
    assert card.evaluations[0].faces == 3 * FACES // 10
    assert card.evaluations[0].accuracy.value >= 0.8  # chance is a third
    assert set(card.evaluations[0].recall) == set(LABELS)
    assert card.doubt is not None
    assert card.doubt.data == "mine validation"
    assert card.provenance.data[-1] == f"{3 * FACES * 8 // 10} pictures of `mine`"
    assert "FER+" in card.provenance.data[0]
    assert "eight.safetensors" in card.provenance.notes
    origin = read_origin(exported)
    assert origin.labels == LABELS
    assert set(origin.fresh) == {"classifier.weight", "classifier.bias"}


def test_the_gateway_answers_with_the_names_of_the_folders(
    exported: Path, astronaut: Path, grace_hopper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model", str(exported / "own.onnx")]
    assert gateway(["analyze", str(astronaut), str(grace_hopper), *model, "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["faces"][0]["label"] for answer in answers] == list(LABELS[:2])


def test_evaluate_takes_the_faces_that_were_held_out(
    tmp_path: Path, exported: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a folder, as a zip file, or with the parts that `prepare` wrote: the same faces."""
    archive = tmp_path / "mine.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for picture in pictures.rglob("*.png"):
            file.write(picture, picture.relative_to(pictures))
    prepared = tmp_path / "prepared" / "mine.zip"
    assert main(["prepare", "--data", str(pictures), "--out", str(prepared)]) == 0
    found = []
    for data in (pictures, archive, prepared):
        capsys.readouterr()
        assert main(["evaluate", str(exported / "own.onnx"), "--data", str(data), "--json", "-"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert {scores["n"] for scores in found} == {3 * FACES // 10}
    assert {scores["accuracy"] for scores in found} == {found[0]["accuracy"]}
    assert found[0]["twins"]["with_twin"] == 0


def test_a_run_keeps_to_its_data(
    tmp_path: Path, exported: Path, pictures: Path, ferplus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ferplus = ["--data", str(ferplus_folder)]
    assert main(["calibrate", str(exported), *ferplus]) == 1
    assert "has the labels Beaming astronaut, admiral, somebody else, but" in capsys.readouterr().err
    fewer = shutil.copytree(pictures, tmp_path / "mine")
    shutil.rmtree(fewer / LABELS[2])
    config = exported.parent / "own.toml"
    assert main(["train", str(config), "--data", str(fewer), "--run", str(exported), "--device", "cpu"]) == 1
    assert "holds a run on mine" in capsys.readouterr().err


def test_framing_of_pictures_without_haar_faces_is_the_packaged_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(60):
        file = tmp_path / "data" / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.random.default_rng(number).integers(0, 256, (48, 48), dtype=np.uint8))
    command = ["framing", "--data", str(tmp_path / "data"), "--run", str(tmp_path / "run")]
    assert main(command) == 0
    assert "the framing of the packaged model is taken instead" in capsys.readouterr().out
    kept = json.loads((tmp_path / "run" / "framing.json").read_text())
    assert kept == EmotionModel.open(PACKAGED_MODEL).card.face.framing.model_dump()


@pytest.mark.parametrize(
    ("labels", "head_is_kept"),
    [
        (Origin().labels, True),
        (tuple(f"label{n}" for n in range(8)), False),  # as many, but they mean something else
        (("a", "b", "c"), False),
    ],
)
def test_the_head_is_kept_for_the_same_labels_only(
    tmp_path: Path, weights: Path, labels: tuple[str, ...], *, head_is_kept: bool
) -> None:
    config = tmp_path / "own.toml"
    config.write_text("epochs = 1\n", encoding="utf-8")
    old, start = load_model(weights), start_from(weights, load_config(config), labels)
    assert start.model is not None
    assert start.config.model.classes == len(labels)
    assert start.config.model.image_size == SHAPE.image_size  # without `[model]`, the weights' shape
    assert start.fresh == (() if head_is_kept else ("classifier.weight", "classifier.bias"))
    for name, tensor in start.model.state_dict().items():
        if not name.startswith("classifier") or head_is_kept:
            torch.testing.assert_close(tensor, old.state_dict()[name])
    again = start_from(weights, load_config(config), labels)
    assert again.model is not None
    torch.testing.assert_close(again.model.classifier.weight, start.model.classifier.weight)


def test_the_head_of_an_own_run_is_kept_for_its_labels(tmp_path: Path, weights: Path) -> None:
    Origin(data="mine", labels=tuple("abcdefgh")).keep(tmp_path)
    shutil.copy(weights, tmp_path / "best.safetensors")
    config = tmp_path / "own.toml"
    config.write_text("epochs = 1\n", encoding="utf-8")
    assert start_from(tmp_path / "best.safetensors", load_config(config), tuple("abcdefgh")).fresh == ()
    assert start_from(tmp_path / "best.safetensors", load_config(config), Origin().labels).fresh


def test_two_names_of_one_emotion_keep_rows_of_their_own(tmp_path: Path, weights: Path) -> None:
    labels = ("happy", "joy", *"cdefgh")
    Origin(data="mine", labels=labels).keep(tmp_path)
    shutil.copy(weights, tmp_path / "best.safetensors")
    config = tmp_path / "own.toml"
    config.write_text("epochs = 1\n", encoding="utf-8")
    old, start = load_model(weights), start_from(tmp_path / "best.safetensors", load_config(config), labels)
    assert start.model is not None
    torch.testing.assert_close(start.model.classifier.weight, old.classifier.weight)


def test_a_damaged_origin_is_named(tmp_path: Path) -> None:
    (tmp_path / "origin.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"origin\.json` cannot be read"):
        require_labels(tmp_path, ("a", "b"), tmp_path)


def test_the_documented_experiment_is_for_any_weights() -> None:
    config = load_config(Path(__file__).parents[2] / "training" / "configs" / "own.toml")
    assert "model" not in config.model_fields_set
    assert config.crop == "landmarks-v1"
