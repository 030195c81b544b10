"""Settings from options, environment, `.env` and TOML: which wins, and what is said when one is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer_gateway.cli import main
from fer_gateway.configuration import Configuration, configure
from fer_gateway.errors import InvalidSettings
from fer_gateway.settings import Settings


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory, and no variable of ours."""
    for name in [name for name in os.environ if name.upper().startswith("FER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def source(configuration: Configuration, name: str) -> tuple[object, str]:
    return getattr(configuration.settings, name), configuration.sources[name]


def test_nothing_is_set() -> None:
    configuration = configure()
    assert configuration.settings == Settings()
    assert set(configuration.sources.values()) == {"default"}


def test_each_layer_wins_over_those_after_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "fer-gateway.toml").write_text("port = 1\n")
    assert source(configure(), "port") == (1, "fer-gateway.toml")
    (here / ".env").write_text("FER_PORT=2\nOTHER=x\n")
    assert source(configure(), "port") == (2, "FER_PORT in .env")
    monkeypatch.setenv("FER_PORT", "3")
    assert source(configure(), "port") == (3, "FER_PORT")
    assert source(configure({"port": "4"}), "port") == (4, "--port")
    monkeypatch.setenv("FER_PORT", "")
    assert source(configure(), "port") == (2, "FER_PORT in .env")


def test_a_preset_is_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_PRESET", "phone")
    configuration = configure({"max_fps": "9"})
    assert source(configuration, "max_fps") == (9, "--max-fps")
    assert source(configuration, "max_streams") == (2, "preset phone")
    assert source(configuration, "port") == (8000, "default")


def test_the_toml_file_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, port in (("fer-gateway.toml", 1), ("dotenv.toml", 2), ("variable.toml", 3), ("option.toml", 4)):
        (here / name).write_text(f"port = {port}")
    assert configure().settings.port == 1
    (here / ".env").write_text("FER_CONFIG=dotenv.toml")
    assert configure().settings.port == 2
    monkeypatch.setenv("FER_CONFIG", "variable.toml")
    assert configure().settings.port == 3
    assert source(configure(config=Path("option.toml")), "port") == (4, "option.toml")


def test_lists_and_paths_in_toml(here: Path) -> None:
    folder = here / "conf"
    folder.mkdir()
    (folder / "x.toml").write_text(
        'model = "mine.onnx"\nallowed_hosts = ["a", "b"]\nallowed_origins = "https://a, https://b"\n'
    )
    settings = configure(config=folder / "x.toml").settings
    assert settings.model == folder / "mine.onnx"
    assert settings.allowed_hosts == ("a", "b")
    assert settings.allowed_origins == ("https://a", "https://b")


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("fer-gateway.toml", "port = 70000", "`70000` for `port` in `fer-gateway.toml`: "),
        ("fer-gateway.toml", "prot = 1", "`prot` in `fer-gateway.toml` is no setting; did you mean `port`?"),
        ("fer-gateway.toml", "[serve]\nport = 1", "`serve` in `fer-gateway.toml` is no setting; "),
        ("fer-gateway.toml", "port: 1", "`fer-gateway.toml` is no TOML: "),
        (".env", "FER_PORT=http", "`http` for `FER_PORT in .env`: "),
        (".env", "FER_PROT=1", "`FER_PROT` in `.env` is no setting; did you mean `FER_PORT`?"),
        (".env", "FER_CONFIG=missing.toml", "The configuration `missing.toml` cannot be read "),
    ],
)
def test_mistakes_are_named(here: Path, file: str, text: str, said: str) -> None:
    (here / file).write_text(text)
    with pytest.raises(InvalidSettings) as error:
        configure()
    assert str(error.value).startswith(said)


def test_a_file_of_bytes_is_no_toml(here: Path) -> None:
    (here / "fer-gateway.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidSettings, match="is no TOML"):
        configure()


def test_all_mistakes_at_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "fer-gateway.toml").write_text("threads = 0")
    monkeypatch.setenv("FER_WORKERS", "-1")
    with pytest.raises(InvalidSettings) as error:
        configure({"port": "x"})
    assert all(f"`{name}`" in str(error.value) for name in ("--port", "FER_WORKERS", "threads"))


def test_the_command(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "fer-gateway.toml").write_text("threads = 2")
    monkeypatch.setenv("FER_ALLOWED_ORIGINS", "https://a.example")
    assert main(["config", "--port", "9000"]) == 0
    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()}
    assert set(lines) == set(Settings.model_fields)
    assert lines["port"] == ["9000", "--port"]
    assert lines["threads"] == ["2", "fer-gateway.toml"]
    assert lines["allowed_origins"] == ["https://a.example", "FER_ALLOWED_ORIGINS"]
    assert lines["model"] == ["default"]
    assert main(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["threads"] == {"value": 2, "source": "fer-gateway.toml"}


def test_the_command_tells_what_is_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--config", "nowhere.toml"]) == 2
    assert "`nowhere.toml` cannot be read" in capsys.readouterr().err


def test_a_gateway_takes_its_settings_from_the_file(here: Path, tiny_model: Path) -> None:
    (here / "fer-gateway.toml").write_text(f'model = "{tiny_model}"\nmax_body_bytes = 2048')
    (here / "large.png").write_bytes(bytes(4096))
    command = [sys.executable, "-m", "fer_gateway", "analyze", "large.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "more than 2,048 bytes" in done.stderr
