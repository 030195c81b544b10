"""The landmark network: its labels, its views, its training, and the command that makes the shipped file."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from fer_gateway.contract import Framing
from fer_gateway.inference.landmarks import LandmarkModel
from fer_gateway.inference.self_test import make_crops
from fer_gateway.vision.cascade import HaarDetector
from fer_gateway.vision.landmarks import transformed
from fer_training.cli import main
from fer_training.crops.jitter import Jitter
from fer_training.errors import CheckpointError, DataError
from fer_training.landmarks.config import LandmarkConfig
from fer_training.landmarks.data import PointedFaces, load_pointed, load_pointed_folder, load_points
from fer_training.landmarks.measure import TEST_JITTER, fit_haar, mean_template, summarise
from fer_training.landmarks.network import LandmarkNet
from fer_training.landmarks.scenes import make_scene
from fer_training.landmarks.train import LandmarkTrainer, trust
from fer_training.landmarks.views import random_nothing, random_view

from .conftest import FRAME_SCALE, ROWS

CPU = torch.device("cpu")
SMALL = LandmarkConfig(width=8, epochs=6, batch_size=16, learning_rate=5e-3, ema_decay=0.5)
STILL = Jitter(shift=0, scale=0, degrees=0)


@pytest.fixture(scope="module")
def faces(ferplus_folder: Path) -> PointedFaces:
    return load_pointed(ferplus_folder)["train"]


def test_labels_are_read_for_each_part_and_moved_to_edges(ferplus_folder: Path) -> None:
    splits = load_pointed(ferplus_folder)
    assert {split: len(faces) for split, faces in splits.items()} == {
        "train": ROWS["train"],
        "validation": ROWS["public"],
        "test": ROWS["private"],
    }
    raw = (ferplus_folder / "landmarks.csv").read_text("utf-8").splitlines()[1].split(",")
    assert load_points(ferplus_folder)[raw[0]][2:].tolist() == pytest.approx(
        [float(value) + 0.5 for value in raw[3:]]
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image,score\n", "lacks the columns"),
        ("", "lacks the columns"),
    ],
)
def test_broken_labels_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "landmarks.csv").write_text(text, "utf-8")
    with pytest.raises(DataError, match=said):
        load_points(tmp_path)


def test_where_there_are_no_labels_their_columns_are_named(tmp_path: Path) -> None:
    said = "`landmarks.csv` is missing in .*columns image, score, spread_px, right_eye_x, right_eye_y"
    with pytest.raises(DataError, match=said):
        load_points(tmp_path)


def test_broken_pictures_are_left_out_where_asked(ferplus_folder: Path, tmp_path: Path) -> None:
    data = shutil.copytree(ferplus_folder, tmp_path / "data")
    (data / "FER2013Train" / "fer0000001.png").write_bytes(b"no picture")
    cv2.imwrite(str(data / "FER2013Test" / "fer0000140.png"), np.zeros((50, 40), np.uint8))
    for load in (load_pointed, load_pointed_folder):
        with pytest.raises(DataError, match="or give `--skip-broken`"):
            load(data)
    assert len(load_pointed_folder(data, skip_broken=True)) == sum(ROWS.values()) - 2
    splits = load_pointed(data, skip_broken=True)
    assert (len(splits["train"]), len(splits["test"])) == (ROWS["train"] - 1, ROWS["private"] - 1)


def test_a_value_that_is_no_number_is_named_with_its_line(ferplus_folder: Path, tmp_path: Path) -> None:
    lines = (ferplus_folder / "landmarks.csv").read_text("utf-8").splitlines()
    lines[3] = lines[3].replace("0.9", "high", 1)
    (tmp_path / "landmarks.csv").write_text("\n".join(lines), "utf-8")
    with pytest.raises(DataError, match=r"landmarks.csv` in `.*`, line 4: a value is no number"):
        load_points(tmp_path)


def test_another_data_set_is_read_whatever_its_folders(ferplus_folder: Path, ferplus_zip: Path) -> None:
    folder, archive = load_pointed_folder(ferplus_folder), load_pointed_folder(ferplus_zip)
    assert len(folder) == sum(ROWS.values())
    np.testing.assert_array_equal(folder.images, archive.images)


def test_points_stay_on_the_face_in_every_view(faces: PointedFaces) -> None:
    """A view that is cut where its points are again shows the same pixels: crop and points move together."""
    config = LandmarkConfig()
    plain = random_view(faces, 0, STILL, 0.0, np.random.default_rng(1))
    template = np.array(mean_template(faces))
    for seed in range(30):
        view = random_view(faces, seed % len(faces), config.wide, config.margin, np.random.default_rng(seed))
        assert view.crop.shape == (48, 48)
        assert view.points[0, 0] < view.points[1, 0]  # the right eye stays on the left, mirrored or not
        assert np.abs(view.points - template).max() < 0.45
    assert np.abs(plain.points - template).max() < 0.1


def test_nothing_has_no_points(faces: PointedFaces) -> None:
    for seed in range(20):
        view = random_nothing(faces, 0, np.random.default_rng(seed))
        assert view.crop.shape == (48, 48)
        assert not view.face


def test_a_label_that_spreads_counts_less(faces: PointedFaces) -> None:
    spread = faces.spread_px.copy()
    spread[0] = 3.0
    weights = trust(PointedFaces(faces.images, faces.points, spread, faces.score))
    assert weights.mean() == pytest.approx(1)
    assert weights[0] < 0.5 * weights[1]


def test_scenes_put_points_and_box_where_the_face_is(faces: PointedFaces) -> None:
    framing = Framing(scale=1.0, offset_x=0, offset_y=0)
    still = make_scene(faces, 0, STILL, framing, np.random.default_rng(0))
    assert (still.box.x, still.box.side) == (48, 96)
    np.testing.assert_allclose(still.points, faces.points[0] * 2 + 48)
    turned = make_scene(faces, 0, TEST_JITTER, framing, np.random.default_rng(0))
    eyes = turned.points[1] - turned.points[0]
    assert abs(np.degrees(np.arctan2(eyes[1], eyes[0]))) > 0.5
    assert np.hypot(*eyes) == pytest.approx(np.hypot(*(still.points[1] - still.points[0])))


def test_haar_boxes_are_compared_with_landmark_frames(faces: PointedFaces) -> None:
    fit = fit_haar(faces, mean_template(faces), HaarDetector(min_face_px=80))
    assert fit.placed.framing.scale == pytest.approx(FRAME_SCALE, abs=0.08)
    assert 0 < fit.roll_spread_degrees < 10
    with pytest.raises(DataError, match="Haar found"):
        fit_haar(faces[np.arange(len(faces)) < 5], mean_template(faces), HaarDetector(min_face_px=80))


def test_it_learns_and_a_resumed_run_ends_with_the_same_weights(tmp_path: Path, faces: PointedFaces) -> None:
    whole = LandmarkTrainer(SMALL, tmp_path / "whole", CPU).fit(faces)
    history = [json.loads(line) for line in (tmp_path / "whole" / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1]["error"] < 0.6 * history[0]["error"]

    class Stopped(Exception):
        pass

    class Doomed(LandmarkTrainer):
        def _save(self, error: float) -> None:
            super()._save(error)
            if self.epochs_done == 3:
                raise Stopped

    with pytest.raises(Stopped):
        Doomed(SMALL, tmp_path / "parts", CPU).fit(faces)
    again = LandmarkTrainer(SMALL, tmp_path / "parts", CPU)
    assert again.resume()
    for name, value in again.fit(faces).state_dict().items():
        torch.testing.assert_close(value, whole.state_dict()[name])
    with pytest.raises(CheckpointError, match="belongs to another configuration"):
        LandmarkTrainer(SMALL.model_copy(update={"seed": 1}), tmp_path / "parts", CPU).resume()


def test_the_network_does_not_mind_brightness_and_contrast() -> None:
    network = LandmarkNet(8).eval()
    pixels = torch.rand(2, 1, 48, 48)
    with torch.inference_mode():
        points, _ = network(pixels)
        changed, _ = network(0.5 * pixels - 0.3)
    torch.testing.assert_close(points, changed, atol=0.02, rtol=0)


def test_errors_are_summarised_by_face() -> None:
    errors = np.array([[0.1] * 5, [0.0, 0.0, 0.0, 0.0, 0.5], [0.3] * 5])
    summary = summarise(errors, "three faces")
    assert (summary.faces, summary.mean, summary.median) == (3, 0.1667, 0.1)


def test_the_command_trains_scores_and_writes_the_model(
    tmp_path: Path,
    ferplus_zip: Path,
    ferplus_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "landmarks.onnx"
    command = ["landmarks", "--data", str(ferplus_zip), "--run", str(tmp_path / "run"), "--out", str(out)]
    command += ["--epochs", "12", "--faces", "60", "--device", "cpu", "--also", str(ferplus_folder)]
    assert main(command) == 0
    said = capsys.readouterr().out
    card = LandmarkModel.open(out).card
    assert (card.version, card.precision) == ("0.1.0", "float16")
    assert f"mean {card.errors[0].mean:.4f}" in said
    assert card.errors[0].faces == ROWS["private"]
    template = np.array(card.template)
    ignorant = np.hypot(*(template - 0.5).T).mean() / np.hypot(*(template[1] - template[0]))
    assert card.errors[0].mean < 0.85 * ignorant  # of an answer that puts every point into the middle
    assert out.stat().st_size <= 400_000
    points = load_pointed(ferplus_folder)["train"].points.mean(axis=0) / 48
    np.testing.assert_allclose(card.template, points, atol=1e-4)

    small = tmp_path / "small.onnx"
    again = ["landmarks", "--data", str(ferplus_zip), "--version", "0.1.1", "--precision", "int8"]
    again += ["--out", str(small), "--trained"]
    assert main([*again, str(out)]) == 0
    quantised = LandmarkModel.open(small)
    assert (quantised.card.version, quantised.card.precision) == ("0.1.1", "int8")
    assert quantised.card.errors[0].mean == pytest.approx(card.errors[0].mean, rel=0.1)
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(small).graph.node}
    crops = make_crops(quantised.card.size_px)
    np.testing.assert_allclose(quantised.run(crops)[0], LandmarkModel.open(out).run(crops)[0], atol=0.05)
    assert main([*again, str(small)]) == 1
    assert "is in int8 already; name the float16 model" in capsys.readouterr().err

    monkeypatch.setattr("fer_training.commands.landmarks.MOST_WORSE", 0.5)  # no model is so much better
    small.unlink()
    assert main([*again, str(out)]) == 1
    assert "write it in float16" in capsys.readouterr().err
    assert not small.exists()


def test_a_matrix_moves_points() -> None:
    points = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(transformed(points, np.array([[2, 0, 1], [0, 2, -1]])), [[3, 3], [7, 7]])
