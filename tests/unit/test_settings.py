"""Settings: from arguments, from `FER_*` variables, else their defaults; wrong ones are refused."""

import ast
import inspect
from pathlib import Path

import pytest
from pydantic import ValidationError

from fer_gateway import settings as module
from fer_gateway.models import PACKAGED_MODEL
from fer_gateway.presets import PRESETS, PresetName
from fer_gateway.settings import Settings, usable_cores


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"FER_{name.upper()}", raising=False)


def test_defaults_serve_this_machine_only() -> None:
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.port == 8000
    assert settings.model_file == PACKAGED_MODEL
    assert settings.served_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert settings.allowed_origins == ()
    assert settings.max_body_bytes == 10 * 1024 * 1024
    assert settings.max_pixels == 50_000_000
    assert settings.providers == ("CPUExecutionProvider",)


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("FER_PORT", "9000", "port", 9000),
        ("FER_MODEL", "/models/mine.onnx", "model", Path("/models/mine.onnx")),
        ("FER_MODEL", "", "model", None),
        ("FER_ALLOWED_HOSTS", "a.example, b.example,", "allowed_hosts", ("a.example", "b.example")),
        ("FER_ALLOWED_ORIGINS", "https://a.example", "allowed_origins", ("https://a.example",)),
        ("FER_LOG_LEVEL", "debug", "log_level", "debug"),
    ],
)
def test_environment(
    variable: str, text: str, field: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, text)
    assert getattr(Settings(), field) == value


def test_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_PORT", "9000")
    assert Settings(port=9001).port == 9001


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("FER_PORT", "65536"),
        ("FER_PORT", "http"),
        ("FER_THREADS", "0"),
        ("FER_WORKERS", "-1"),
        ("FER_MAX_BODY_BYTES", "0"),
        ("FER_MAX_FPS", "0.5"),
        ("FER_LOG_LEVEL", "loud"),
    ],
)
def test_wrong_values(variable: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(ValidationError, match=variable.removeprefix("FER_").lower()):
        Settings()


def test_a_preset_fills_in_what_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_PRESET", "phone")
    settings = Settings()
    assert (settings.worker_count, settings.max_streams, settings.max_fps) == (2, 2, 15.0)
    assert settings.battery
    monkeypatch.setenv("FER_MAX_FPS", "8")
    assert Settings(workers=1).model_dump() == settings.model_dump() | {"max_fps": 8.0, "workers": 1}
    assert Settings(preset="computer").max_fps == 8.0


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid(name: PresetName) -> None:
    settings = Settings(preset=name)
    assert {field: getattr(settings, field) for field in PRESETS[name]} == PRESETS[name]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ValidationError, match="'computer', 'phone' or 'saver'"):
        Settings(preset="toaster")  # type: ignore[arg-type]


def test_settings_cannot_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


def test_workers_and_threads_fit_the_processor() -> None:
    assert Settings().worker_count == usable_cores()
    assert Settings(threads=64).worker_count == max(1, usable_cores() // 64)
    assert Settings(workers=3, threads=64).worker_count == 3


@pytest.mark.parametrize(
    ("host", "added"),
    [
        ("127.0.0.1", ()),
        ("localhost", ()),
        ("0.0.0.0", ()),
        ("::", ()),
        ("192.0.2.7", ("192.0.2.7",)),
        ("2001:db8::7", ("[2001:db8::7]",)),
        ("::1", ()),
    ],
)
def test_the_address_listened_on_is_served(host: str, added: tuple[str, ...]) -> None:
    assert Settings(host=host).served_hosts == ("localhost", "127.0.0.1", "[::1]", *added)


def test_every_setting_is_documented() -> None:
    (tree,) = (
        node
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    documented = {
        statement.target.id
        for statement, following in zip(tree.body, tree.body[1:], strict=False)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
    }
    assert documented == set(Settings.model_fields)
