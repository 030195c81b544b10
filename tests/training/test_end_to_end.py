"""From a raw folder to a gateway that answers over HTTP, by the commands a person types, on drawn faces.

It fails where a stage is broken. Seen to fail: twins kept by `prepare`, labels shuffled or in another order,
pixels normalised otherwise in the graph, a frame too wide, too tight or beside the face, a temperature that
is not the one that was fitted, views that lie on their side.
"""

import csv
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from tests.e2e.gateway_process import GatewayProcess

from fer_training.data.ferplus import FOLDERS, PARTS, VOTE_COLUMNS

from .drawn_faces import EXPRESSIONS, Grey, draw_dataset_face, draw_scene
from .processes import finish, history

pytestmark = pytest.mark.slow

FACES = {"train": 320, "public": 60, "private": 60}
TWINS = 24
SCENES = 40
"""Pictures that the gateway is asked about; a guess is right on 10 of them."""

CONFIG = """
epochs = 16
batch_size = 24
learning_rate = 8e-3
warmup_epochs = 0.5
ema_decay = 0.9
[model]
image_size = 48
width = 0.25
vit_dim = 32
vit_depth = 1
vit_heads = 2
fused_dim = 32
[augment]
zoom = 0.05
rotation_degrees = 0.0
shift = 0.03
brightness = 0.1
contrast = 0.1
blur = 0.0
noise = 0.0
erase = 0.0
"""


def write_raw(folder: Path) -> Path:
    """FER2013 as it comes: the FERPlus layout, and some faces of the private part in the training part too.

    Those bear a wrong emotion there: who trains on them learns that. And one face in ten bears a wrong one
    everywhere, as voters err: a model that is right and knows it is right on nine.
    """
    random = np.random.default_rng(0)
    faces = {
        part: [(name := EXPRESSIONS[index % 4], draw_dataset_face(name, random)) for index in range(count)]
        for part, count in FACES.items()
    }
    faces["train"] += [(other(name), face) for name, face in faces["private"][:TWINS]]
    usages = {part: usage for usage, part in PARTS.items()}
    with (folder / "fer2013new.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["Usage", "Image name", *VOTE_COLUMNS])
        number = 0
        for part, rows in faces.items():
            (folder / FOLDERS[part]).mkdir()
            for index, (shown, face) in enumerate(rows):
                emotion = other(shown) if index % 10 == 9 else shown
                name, number = f"fer{number:07d}.png", number + 1
                cv2.imwrite(str(folder / FOLDERS[part] / name), face)
                others = random.permutation([0, 0, 1])
                votes = [0] * len(VOTE_COLUMNS)
                votes[VOTE_COLUMNS.index(emotion)] = 9
                votes[int(others.argmax())] += 1
                table.writerow([usages[part], name, *votes])
    return folder


def other(expression: str) -> str:
    """A wrong one."""
    return EXPRESSIONS[(EXPRESSIONS.index(expression) + 1) % len(EXPRESSIONS)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all stages have run: `raw`, `clean.zip`, `run`, `model.onnx`, `int8.onnx`."""
    folder = tmp_path_factory.mktemp("end-to-end")
    raw, clean, run = folder / "raw", folder / "clean.zip", folder / "run"
    raw.mkdir()
    write_raw(raw)
    (folder / "drawn.toml").write_text(CONFIG, "utf-8")
    data = ["--data", str(clean)]
    finish(["prepare", "--data", str(raw), "--out", str(clean)])
    finish(["train", str(folder / "drawn.toml"), *data, "--run", str(run), "--device", "cpu"])
    finish(["framing", *data, "--faces", "80", "--run", str(run)])
    finish(["calibrate", str(run), *data])
    finish(["export", str(run), *data, "--out", str(folder / "model.onnx"), "--version", "1.0.0"])
    finish(["quantize", str(folder / "model.onnx"), *data, "--out", str(folder / "int8.onnx")])
    return folder


@pytest.fixture(scope="module")
def gateway(folder: Path) -> Iterator[str]:
    """The address of a gateway process with the model in int8, as it ships."""
    process = GatewayProcess(environment={"FER_MODEL": str(folder / "int8.onnx")}).start()
    yield process.url
    process.stop()


def test_every_stage_says_what_it_did(folder: Path) -> None:
    with zipfile.ZipFile(folder / "clean.zip") as archive:
        prepared = json.loads(archive.read("prepared.json"))
    assert prepared["exact_twins"] == {"train": TWINS, "public": 0, "private": 0}
    assert prepared["faces"]["train"] >= 0.8 * FACES["train"]
    assert history(folder / "run")[-1]["accuracy"] >= 0.8
    scores = json.loads(
        finish(["evaluate", str(folder / "model.onnx"), "--data", str(folder / "raw"), "--json", "-"])
    )
    assert scores["n"] == FACES["private"]
    assert 0.78 <= scores["accuracy"] <= 0.92, "one label in ten is wrong"
    assert scores["ece"] <= 0.12
    framing = json.loads((folder / "run" / "framing.json").read_text("utf-8"))
    assert framing["faces_measured"] >= 60


def test_served_answers_are_right_on_pictures_never_seen(gateway: str) -> None:
    random = np.random.default_rng(99)
    shown = [EXPRESSIONS[index % len(EXPRESSIONS)] for index in range(SCENES)]
    seen = [asked(gateway, draw_scene(emotion, random)) for emotion in shown]
    found = [(emotion, faces[0]) for emotion, faces in zip(shown, seen, strict=True) if len(faces) == 1]
    assert len(found) >= 0.85 * SCENES
    right = [face["label"] == emotion for emotion, face in found]
    assert sum(right) >= 0.85 * len(found), f"{sum(right)} of {len(found)} right"
    sure = [face["confidence"] for _, face in found]
    assert 0.6 <= sum(sure) / len(sure) <= 0.98, "as sure as the votes of its training were"


def asked(gateway: str, picture: Grey) -> list[dict[str, Any]]:
    """The faces that the gateway sees."""
    body = cv2.imencode(".jpg", picture)[1].tobytes()
    answer = httpx.post(
        f"{gateway}/api/v1/analyze", content=body, headers={"Content-Type": "image/jpeg"}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    faces: list[dict[str, Any]] = answer.json()["faces"]
    return faces
