"""`fer-gateway doctor`: all well here, and each thing that can break is found with its fix."""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from fer_gateway.cli import main
from fer_gateway.inference.model import EmotionModel
from fer_gateway.settings import Settings

NAMES = ["python", "settings", "opencv", "onnxruntime", "model", "landmarks", "cascade", "web", "camera"]


@pytest.fixture(autouse=True)
def tiny_environment(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FER_{name.upper()}", raising=False)
    monkeypatch.setenv("FER_MODEL", str(tiny_model))


def examined(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    status = main(["doctor", "--json", *options])
    report = json.loads(capsys.readouterr().out)
    assert [check["name"] for check in report["checks"]] == NAMES
    assert report["ok"] is (status == 0)
    return status, {check["name"]: check for check in report["checks"]}


def problems(checks: dict[str, Any]) -> dict[str, str]:
    """Fix by name of the checks that failed; each has one."""
    found = {name: check["fix"] for name, check in checks.items() if not check["ok"]}
    assert all(found.values())
    return found


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    status, checks = examined(capsys)
    assert problems(checks) == {}
    assert status == 0
    assert cv2.__version__ in checks["opencv"]["detail"]
    assert "CPUExecutionProvider" in checks["onnxruntime"]["detail"]
    assert "self-test passed" in checks["model"]["detail"]
    assert "http://localhost:8000" in checks["camera"]["detail"]


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in NAMES]


def test_a_problem_has_a_line_with_its_fix(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--model", "/nowhere.onnx"]) == 1
    out = capsys.readouterr().out
    assert "PROBLEM  model" in out
    assert "Fix: name one with `--model` or `FER_MODEL`." in out


def test_without_cascades(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier")
    found = problems(examined(capsys)[1])
    assert "opencv-python-headless>=4.10,<5" in found["opencv"]


@pytest.mark.parametrize(("module", "check"), [("cv2", "opencv"), ("onnxruntime", "onnxruntime")])
def test_without_a_package(
    module: str, check: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert "pip install" in problems(examined(capsys)[1])[check]


def test_a_model_that_answers_differently(capsys: pytest.CaptureFixture[str], build_model: Any) -> None:
    path = build_model(card={"self_test": {"probabilities": [[0.125] * 8] * 2}})
    found = problems(examined(capsys, "--model", str(path))[1])
    assert list(found) == ["model"]


def test_another_cascade(capsys: pytest.CaptureFixture[str], build_model: Any, tiny_model: Path) -> None:
    face = EmotionModel.load(tiny_model).card.face.model_dump() | {"cascade_sha256": "0" * 64}
    found = problems(examined(capsys, "--model", str(build_model(card={"face": face})))[1])
    assert list(found) == ["cascade"]


def test_an_unknown_provider(capsys: pytest.CaptureFixture[str]) -> None:
    found = problems(examined(capsys, "--provider", "NnapiExecutionProvider")[1])
    assert "`CPUExecutionProvider`" in found["model"]


def test_wrong_settings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_PORT", "http")
    assert "settings" in problems(examined(capsys)[1])


def test_camera_advice_for_other_devices(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_HOST", "0.0.0.0")
    assert "HTTPS" in examined(capsys)[1]["camera"]["detail"]
