"""From a raw folder to a served model, by the commands a person would type."""

import json
import shutil
from pathlib import Path

import pytest

from fer_gateway.analyzer import Analyzer
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_LANDMARKS
from fer_training.cli import main
from fer_training.network.checkpoint import load_model

from .conftest import ROWS


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, tiny_config_file: Path, ferplus_zip: Path) -> Path:
    """A folder with a run, `tiny.onnx` and `half.safetensors`."""
    folder = tmp_path_factory.mktemp("pipeline")
    run, data = str(folder / "run"), ["--data", str(ferplus_zip)]
    config = folder / "longer.toml"
    text = tiny_config_file.read_text("utf-8").replace("epochs = 4", "epochs = 14")
    aligned = 'crop = "landmarks-v1"\nframes = 2\n'
    augment = "[augment]\nzoom = 0.05\nrotation_degrees = 5.0\nshift = 0.03\nerase = 0.0\n"
    config.write_text(f"{aligned}{text}{augment}", "utf-8")
    assert main(["train", str(config), *data, "--run", run, "--device", "cpu"]) == 0
    assert main(["framing", *data, "--faces", "48", "--run", run]) == 0
    assert main(["calibrate", run, *data]) == 0
    out = ["--out", str(folder / "tiny.onnx"), "--half-weights", str(folder / "half.safetensors")]
    assert main(["export", run, *data, *out, "--name", "tiny", "--version", "1.2.3"]) == 0
    return folder


def test_card_holds_what_was_measured(exported: Path) -> None:
    card = EmotionModel.open(exported / "tiny.onnx").card
    assert (card.name, card.version, card.face.size_px) == ("tiny", "1.2.3", 32)
    assert card.face.framing.model_dump_json(indent=2) in (exported / "run" / "framing.json").read_text()
    assert card.face.algorithm == "landmarks-v1"
    assert card.face.template == LandmarkModel.open(PACKAGED_LANDMARKS).card.template
    calibration = json.loads((exported / "run" / "calibration.json").read_text())
    assert card.temperature == pytest.approx(calibration["temperature"], abs=1e-4)
    assert card.doubt is not None
    assert card.doubt.model_dump() == calibration["doubt"]
    assert card.doubt.error <= 0.1
    assert card.doubt.data == "FER+ validation, majority"
    assert [evaluation.data for evaluation in card.evaluations] == [
        "FER+ test, majority",
        "FER+ test, probability",
    ]


def test_it_tells_the_two_people_apart(exported: Path, astronaut: Path, grace_hopper: Path) -> None:
    card = EmotionModel.open(exported / "tiny.onnx").card
    assert card.evaluations[0].faces == ROWS["private"]
    assert card.evaluations[0].accuracy.value >= 0.9  # chance is one half, a broken stage ends there
    analyzer = Analyzer.open(exported / "tiny.onnx")
    assert analyzer.analyze(astronaut.read_bytes()).faces[0].label == "happiness"
    assert analyzer.analyze(grace_hopper.read_bytes()).faces[0].label == "neutral"


def test_half_weights_are_the_exported_model(exported: Path) -> None:
    model = load_model(exported / "half.safetensors")
    card = EmotionModel.open(exported / "tiny.onnx").card
    assert card.fusion_share == pytest.approx(float(model.share.detach()), abs=1e-4)


def test_the_last_epoch_is_exported_where_it_was_calibrated(exported: Path, ferplus_zip: Path) -> None:
    run, data = exported / "last-run", ["--data", str(ferplus_zip)]
    shutil.copytree(exported / "run", run)
    (run / "best.safetensors").unlink()
    assert main(["calibrate", str(run), *data, "--weights", "last"]) == 0
    files = ["--out", str(exported / "last.onnx"), "--half-weights", str(exported / "last.safetensors")]
    assert main(["export", str(run), *data, *files, "--version", "1.2.4"]) == 0
    last = float(load_model(run / "last.safetensors").share.detach())
    half = load_model(exported / "last.safetensors").share.detach()
    assert float(half) == pytest.approx(last, abs=1e-3)


def test_evaluate_prints_one_json_object(
    exported: Path, ferplus_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(exported / "tiny.onnx"), "--data", str(ferplus_folder), "--json", "-"]
    assert main(command) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["n"] == ROWS["private"]
    assert 0 <= scores["accuracy_interval"][0] <= scores["accuracy"] <= scores["accuracy_interval"][1] <= 1
    assert set(scores["per_class"]) == {"neutral", "happiness"}
    doubt = EmotionModel.open(exported / "tiny.onnx").card.doubt
    assert doubt is not None
    assert scores["doubt"]["uncertain_below"] == doubt.uncertain_below
    assert 0 < scores["doubt"]["coverage"] <= 1
    assert main([*command[:-2], "--split", "validation", "--rule", "argmax"]) == 0
    out = capsys.readouterr().out
    assert f"FER+ validation, argmax: {ROWS['public']} faces" in out
    assert f"uncertain below {doubt.uncertain_below:.3f}: " in out


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["train", "missing.toml", "--data", "x"], "`missing.toml` cannot be read"),
        (["evaluate", "missing.onnx", "--data", "x"], "`missing.onnx` cannot be read"),
        (["calibrate", "nowhere", "--data", "x"], "`nowhere` does not exist; expected the folder of"),
        (
            ["export", "nowhere", "--data", "x", "--out", "o.onnx", "--version", "1.0.0"],
            "`nowhere` does not exist; expected the folder of",
        ),
    ],
)
def test_what_is_missing_is_named(command: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 1
    assert said in capsys.readouterr().err
