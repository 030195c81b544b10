"""`fer-gateway doctor`: all well here, and each thing that can break is found with its fix."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from fer_gateway.cli import main
from fer_gateway.inference.model import EmotionModel
from fer_gateway.lan.authority import Authority
from fer_gateway.lan.devices import DeviceFile
from fer_gateway.settings import Settings

NAMES = [
    "python", "settings", "opencv", "onnxruntime", "model", "landmarks", "cascade", "web", "port", "devices",
    "lan", "camera",
]  # fmt: skip


@pytest.fixture(autouse=True)
def tiny_environment(monkeypatch: pytest.MonkeyPatch, tiny_model: Path, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FER_{name.upper()}", raising=False)
    monkeypatch.setenv("FER_MODEL", str(tiny_model))
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    with socket.create_server(("127.0.0.1", 0)) as free:  # 8000 may be taken where the tests run
        monkeypatch.setenv("FER_PORT", str(free.getsockname()[1]))


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
    assert "its reports to its maker are off" in checks["onnxruntime"]["detail"]
    assert "self-test passed" in checks["model"]["detail"]
    assert f"http://localhost:{os.environ['FER_PORT']}" in checks["camera"]["detail"]


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


def test_reports_to_the_maker_of_onnx_runtime(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert "unset `ORT_DISABLE_TELEMETRY`" in problems(examined(capsys)[1])["onnxruntime"]


def test_a_model_that_answers_differently(capsys: pytest.CaptureFixture[str], build_model: Any) -> None:
    path = build_model(card={"self_test": {"probabilities": [[0.125] * 8] * 2}})
    found = problems(examined(capsys, "--model", str(path))[1])
    assert list(found) == ["model"]


def test_another_cascade(capsys: pytest.CaptureFixture[str], build_model: Any, tiny_model: Path) -> None:
    face = EmotionModel.load(tiny_model).card.face.model_dump() | {"cascade_sha256": "0" * 64}
    found = problems(examined(capsys, "--model", str(build_model(card={"face": face})))[1])
    assert list(found) == ["cascade"]


def test_devices_and_certificates(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    DeviceFile(tmp_path / "devices.json").add("phone", ("stream",), 1)
    fingerprint = Authority.open(tmp_path).fingerprint
    checks = examined(capsys)[1]
    assert "1 paired, 0 of them over" in checks["devices"]["detail"]
    assert fingerprint in checks["lan"]["detail"]
    (tmp_path / "devices.json").chmod(0o666)
    (tmp_path / "authority.pem").write_bytes(b"")
    found = problems(examined(capsys)[1])
    assert "chmod" in found["devices"]
    assert "put back a copy" in found["lan"]


@pytest.mark.parametrize("is_wanted", [False, True])
def test_without_cryptography(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_wanted: bool
) -> None:
    """A problem only for who wants to serve the local network."""
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    monkeypatch.setenv("FER_LAN", str(is_wanted).lower())
    monkeypatch.delitem(sys.modules, "fer_gateway.lan.authority", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    found = problems(examined(capsys)[1])
    assert ("fer-gateway[lan]" in found.get("lan", "")) is is_wanted


def test_an_unknown_provider(capsys: pytest.CaptureFixture[str]) -> None:
    found = problems(examined(capsys, "--provider", "NnapiExecutionProvider")[1])
    assert "`CPUExecutionProvider`" in found["model"]


def test_wrong_settings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_PORT", "http")
    assert "settings" in problems(examined(capsys)[1])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [('{"percentage": 80, "temperature": 31.5}', "80 %, 31.5 C, not charging"), ("no", "Termux:API")],
)
def test_the_battery_where_it_is_looked_after(
    answer: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A command that answers as `termux-battery-status` does."""
    (tmp_path / "termux-battery-status").write_text(f"#!/bin/sh\necho '{answer}'\n", "utf-8")
    (tmp_path / "termux-battery-status").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("FER_PRESET", "phone")
    main(["doctor"])
    printed = capsys.readouterr().out
    assert expected in printed
    assert "at most 15 camera frames a second" in printed


def test_camera_advice_for_other_devices(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_HOST", "0.0.0.0")
    assert "HTTPS" in examined(capsys)[1]["camera"]["detail"]


def test_a_port_that_another_program_has(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("FER_PORT", str(taken.getsockname()[1]))
        thread = threading.Thread(target=hang_up, args=(taken,))
        thread.start()
        found = problems(examined(capsys)[1])
        thread.join()
    assert "`--port" in found["port"]


def hang_up(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_a_gateway_that_runs_already_is_no_problem(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, gateway_port: int
) -> None:
    monkeypatch.setenv("FER_PORT", str(gateway_port))
    status, checks = examined(capsys)
    assert status == 0
    assert "a gateway answers" in checks["port"]["detail"]


@pytest.fixture
def gateway_port(tiny_model: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "fer_gateway", "serve", "--port", "0", "--model", str(tiny_model)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().rsplit(":", 1)[1])
    finally:
        process.kill()
        process.communicate()
