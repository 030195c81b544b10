"""The command line, called as `main(argv)`, and `serve` as the process that people start."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fer_gateway import __version__
from fer_gateway.cli import main
from fer_gateway.contract import EMOTIONS
from fer_gateway.settings import Settings


@pytest.fixture(autouse=True)
def tiny_environment(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FER_{name.upper()}", raising=False)
    monkeypatch.setenv("FER_MODEL", str(tiny_model))


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("no picture")
    return path


@contextmanager
def serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `fer-gateway serve` on a free port, and its greeting."""
    command = [sys.executable, "-m", "fer_gateway", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            greeting = ""
            while "Stop" not in greeting:
                line = process.stdout.readline()
                assert line, process.communicate()[1]
                greeting += line
            yield process, greeting
        finally:
            process.kill()


def address_in(greeting: str, name: str = "localhost") -> str:
    """The address of a greeting, with the IP instead of the name."""
    found = re.match(rf"fer-gateway \S+ serves at http://{name}:(\d+)\n", greeting)
    assert found, greeting
    return f"http://127.0.0.1:{found[1]}"


def run(arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "fer_gateway", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"fer-gateway {__version__}\n"


@pytest.mark.parametrize("argv", [[], ["dance"], ["analyze"], ["model"], ["serve", "--prot", "1"]])
def test_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(argv)
    assert exit_.value.code == 2
    assert "usage: fer-gateway" in capsys.readouterr().err


def test_help_needs_no_opencv() -> None:
    code = (
        "import sys; sys.modules['cv2'] = None; from fer_gateway.cli import main; main(['serve', '--help'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--port" in done.stdout


def test_analyze_table(grace_hopper: Path, astronaut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(grace_hopper), str(astronaut)]) == 0
    out, err = capsys.readouterr()
    first, face, second, other_face = out.splitlines()
    assert first.startswith(f"{grace_hopper}: 1 face, 512 x 600 px, ")
    assert second.startswith(f"{astronaut}: 1 face, 512 x 512 px, ")
    for line in (face, other_face):
        assert re.match(rf"  ({'|'.join(EMOTIONS)})\?? +\d+\.\d% +\d+ x \d+ px at \d+, \d+ +then ", line), (
            line
        )
    assert err == ""


def test_analyze_json(astronaut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "--json", str(astronaut)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    answer = json.loads(line)
    assert list(answer) == ["path", "faces", "timing", "model", "image"]
    assert answer["path"] == str(astronaut)
    assert list(answer["faces"][0]["probabilities"]) == list(EMOTIONS)


def test_analyze_tells_what_it_is_not_sure_of(astronaut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "--uncertain-below", "1", str(astronaut)]) == 0
    _, face = capsys.readouterr().out.splitlines()
    assert re.match(rf"  ({'|'.join(EMOTIONS)})\? +\d+\.\d% .*; not sure: low confidence", face), face
    assert main(["analyze", "--uncertain-below", "0", str(astronaut)]) == 0
    assert "low confidence" not in capsys.readouterr().out


def test_analyze_options(astronaut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "--json", "--landmarks", "--max-faces", "1", str(astronaut)]) == 0
    (face,) = json.loads(capsys.readouterr().out)["faces"]
    assert len(face["landmarks"]) == 5
    assert face["quality"]["yaw_degrees"] is not None
    assert main(["analyze", "--json", str(astronaut)]) == 0
    assert json.loads(capsys.readouterr().out)["faces"][0]["landmarks"] is None
    assert main(["analyze", "--json", "--min-face", "0.9", str(astronaut)]) == 0
    assert json.loads(capsys.readouterr().out)["faces"] == []


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--max-faces", "0"),
        ("--max-faces", "many"),
        ("--min-face", "2"),
        ("--min-face", "nan"),
        ("--uncertain-below", "-1"),
    ],
)
def test_analyze_names_a_wrong_option(
    astronaut: Path, flag: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", f"{flag}={value}", str(astronaut)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"`{value}` for `{flag}`: " in err


def test_analyze_goes_on_after_a_bad_file(
    astronaut: Path, text_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.jpg"
    assert main(["analyze", str(text_file), str(missing), str(tmp_path), str(astronaut)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{astronaut}: 1 face")
    assert [line.split(": ")[0] for line in err.splitlines()] == [str(text_file), str(missing), str(tmp_path)]


def test_analyze_json_has_a_line_for_each_file(
    astronaut: Path, text_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(text_file), str(tmp_path / "missing.jpg"), str(astronaut)]
    assert main(["analyze", "--json", *paths]) == 1
    out, err = capsys.readouterr()
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["path"] for answer in answers] == paths
    codes = [answer.get("error", {}).get("code") for answer in answers]
    assert codes == ["unsupported_image", "unreadable_file", None]
    assert err == ""


def test_analyze_refuses_a_large_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FER_MAX_BODY_BYTES", "2048")
    path = tmp_path / "large.png"
    path.write_bytes(bytes(4096))
    assert main(["analyze", str(path)]) == 1
    assert "more than 2,048 bytes" in capsys.readouterr().err


def test_analyze_into_a_closed_pipe(astronaut: Path) -> None:
    command = f"{sys.executable} -m fer_gateway analyze {' '.join([str(astronaut)] * 3)} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""


def test_model_inspect(tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "inspect", str(tiny_model)]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert facts["model"] == "tiny 0.0.1"
    assert facts["labels"] == ", ".join(EMOTIONS)
    assert facts["temperature"].startswith("1.500")
    assert facts["score"] == "not measured"


def test_model_inspect_shows_scores(build_model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    score = {
        "data": "FER+ private, majority",
        "faces": 3153,
        "accuracy": {"value": 0.85, "low": 0.84, "high": 0.86},
        "macro_f1": {"value": 0.7, "low": 0.68, "high": 0.72},
        "expected_calibration_error": 0.02,
        "recall": {"neutral": 0.9},
    }
    path = build_model(card={"evaluations": [score]})
    assert main(["model", "inspect", str(path)]) == 0
    assert "FER+ private, majority, 3,153 faces: accuracy 85.0%" in capsys.readouterr().out


def test_model_inspect_json_is_the_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "inspect", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "tiny"


@pytest.mark.parametrize(
    "argv",
    [["analyze", "PHOTO"], ["model", "inspect"], ["serve", "--port", "0"]],
    ids=["analyze", "inspect", "serve"],
)
def test_a_missing_model_is_one_line(
    argv: list[str], astronaut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_MODEL", "/nowhere/model.onnx")
    done = run([str(astronaut) if word == "PHOTO" else word for word in argv])
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("fer-gateway: The model `/nowhere/model.onnx` cannot be read")


@pytest.mark.parametrize(
    ("argv", "variables", "message"),
    [
        (["serve", "--port", "http"], {}, "`http` for `--port`"),
        (["serve"], {"FER_PORT": "70000"}, "`70000` for `FER_PORT`"),
        (["analyze", "x.png", "--threads", "0"], {}, "`0` for `--threads`"),
    ],
)
def test_wrong_settings_name_their_source(
    argv: list[str],
    variables: dict[str, str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(argv) == 2
    assert message in capsys.readouterr().err


def test_serve_greets_once_it_can_be_called(astronaut: Path) -> None:
    with serving() as (process, greeting):
        address = address_in(greeting)
        answer = httpx.post(f"{address}/api/v1/analyze", content=astronaut.read_bytes(), timeout=60)
        assert answer.status_code == 200
        assert len(answer.json()["faces"]) == 1
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert (out, err) == ("", "")
    for word in ("curl --data-binary", "/docs", "camera"):
        assert word in greeting
    assert "HTTPS" not in greeting


def test_serve_tells_that_other_devices_need_https() -> None:
    with serving("--host", "0.0.0.0", "--allowed-host", "fer.example") as (_, greeting):
        assert "HTTPS" in greeting
        address = address_in(greeting)
        for host, status in (("fer.example", 200), ("localhost", 200), ("evil.example", 421)):
            assert httpx.get(f"{address}/docs", headers={"Host": host}).status_code == status


def test_serve_on_a_taken_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"fer-gateway: Port `{port}` of `127.0.0.1` is in use; stop the program that uses it, "
        f"or choose another with `--port {port + 1}`.\n"
    )


def test_serve_on_an_address_of_another_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "192.0.2.1"]) == 1
    assert "`192.0.2.1` is no address of this machine" in capsys.readouterr().err


def test_serve_warns_about_another_cascade(build_model: Any, tiny_model: Path) -> None:
    from fer_gateway.inference.model import EmotionModel

    face = EmotionModel.load(tiny_model).card.face.model_dump() | {"cascade_sha256": "0" * 64}
    path = build_model(card={"face": face})
    with serving("--model", str(path)) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert "the model was trained with" in process.communicate(timeout=30)[1]


def test_without_opencv_one_line(astronaut: Path) -> None:
    code = (
        "import sys; sys.modules['cv2'] = None; from fer_gateway import cli; sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "analyze", str(astronaut)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "cv2" in line
    assert "`fer-gateway doctor`" in line


def test_python_m(astronaut: Path) -> None:
    done = run(["analyze", "--json", str(astronaut)])
    assert done.returncode == 0
    assert done.stderr == ""
    assert os.linesep in done.stdout
