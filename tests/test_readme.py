"""The README and CONTRIBUTING: what they name exists, and what they show runs."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from fer_gateway.cli import main
from fer_gateway.settings import Settings

from .e2e.gateway_process import GatewayProcess

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
TEXT = {page: (ROOT / page).read_text("utf-8") for page in PAGES}
README = TEXT["README.md"]

REGISTRIES = tuple(".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org")))
"""Put together here, so that this file does not name them either."""

LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"```(?P<language>\w+)\n(?P<block>.*?)```|`(?P<inline>[^`\n]+)`", re.DOTALL)


def code_lines(text: str) -> list[str]:
    """Every line of code of a page, fenced or inline, comments cut off."""
    lines: list[str] = []
    for match in CODE.finditer(text):
        lines += (match["block"] or match["inline"]).splitlines()
    return [line.split(" #")[0].strip() for line in lines]


def blocks(language: str) -> list[str]:
    return [match["block"] for match in CODE.finditer(README) if match["language"] == language]


def commands(program: str) -> list[tuple[str, ...]]:
    """Every call of a program on any page, as words after its name; `VARIABLE=value` before it is skipped."""
    found = set()
    for line in (line for text in TEXT.values() for line in code_lines(text)):
        match = re.match(rf"(?:[A-Z_]+=\S+ )*{re.escape(program)}(?: (.+))?$", line)
        if match:
            found.add(tuple((match[1] or "").split()))
    return sorted(found)


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z0-9-]+):.* ## ", makefile, re.MULTILINE))


@pytest.mark.parametrize("words", commands("make"), ids=" ".join)
def test_make_targets_exist(words: tuple[str, ...]) -> None:
    assert {word for word in words if "=" not in word} <= make_targets()


def test_make_help_lists_every_target() -> None:
    printed = subprocess.run(["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert set(re.findall(r"^  make ([\w-]+)", printed, re.MULTILINE)) == make_targets()
    assert {"serve", "test", "check", "help"} <= make_targets()


def help_of(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--help"])
    assert stopped.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", commands("fer-gateway"), ids=" ".join)
def test_commands_and_options_exist(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    names = 2 if words[:1] in (("model",), ("devices",)) else 1
    usage = help_of(list(words[:names]), capsys)
    assert " ".join(words[:names]) in usage
    assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", usage))


@pytest.mark.parametrize("page", PAGES)
def test_local_links_and_pictures_exist(page: str) -> None:
    targets = [match["target"] for match in LINK.finditer(TEXT[page])]
    local = [target for target in targets if not target.startswith("https://")]
    assert not [target for target in local if not (ROOT / target.split("#")[0]).exists()]


def test_files_named_in_code_exist() -> None:
    paths = {
        line
        for text in TEXT.values()
        for line in code_lines(text)
        if re.fullmatch(r"[\w./-]+/[\w./-]*", line)
    }
    ours = {path for path in paths if path.split("/")[0] in ("server", "training", "web", "tests", "docker")}
    assert ours
    assert not [path for path in ours if not (ROOT / path).exists()]


def test_settings_are_documented_with_their_defaults() -> None:
    rows = dict(re.findall(r"^\| `(FER_\w+)` \| (?:`(.*?)`)? ?\|", README, re.MULTILINE))
    expected = {}
    for name, field in Settings.model_fields.items():
        default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        expected[f"FER_{name.upper()}"] = "" if default is None else str(default)
    assert rows == expected


def test_no_tracked_file_names_a_registry() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "-C", str(ROOT), "grep", "-I", "-l", *(f"-e{host}" for host in REGISTRIES)]
    assert subprocess.run(command, check=False, capture_output=True, text=True).stdout == ""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """`host:port` of a gateway started with the documented command."""
    gateway = GatewayProcess()
    try:
        yield f"localhost:{gateway.start().port}"
    finally:
        gateway.stop()


@pytest.fixture
def folder(astronaut: Path, tmp_path: Path) -> Path:
    """A folder with the photos of the examples."""
    for name in ("photo.jpg", "one.jpg", "two.jpg"):
        shutil.copy(astronaut, tmp_path / name)
    return tmp_path


def run_example(command: list[str], folder: Path) -> str:
    process = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout


def shape_of(value: object) -> object:
    """The keys of a JSON value, at every depth; numbers and texts become their kinds."""
    if isinstance(value, dict):
        return {key: shape_of(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape_of(member) for member in value]
    return "number" if isinstance(value, int | float) else type(value).__name__


@pytest.mark.parametrize("line", [line for line in code_lines(README) if line.startswith("curl ")])
def test_curl_examples_give_the_documented_answer(line: str, address: str, folder: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("no `curl` here")
    printed = run_example(["curl", "--silent", *line.replace("localhost:8000", address).split()[1:]], folder)
    (documented,) = blocks("json")
    printed_json = json.loads(printed)
    answers = [item["analysis"] for item in printed_json.get("results", [])] or [printed_json]
    for answer in answers:
        assert shape_of(answer) == shape_of(json.loads(documented))
        assert answer["faces"][0]["label"] == "happiness"


def test_python_example_runs(folder: Path) -> None:
    """The photo, held still for a second, is the clip."""
    photo = cv2.imread(str(folder / "photo.jpg"))
    assert photo is not None
    clip = cv2.VideoWriter(str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, photo.shape[1::-1])
    for _ in range(10):
        clip.write(photo)
    clip.release()
    printed = run_example([sys.executable, "-c", blocks("python")[1]], folder).splitlines()
    assert printed[0] == "happiness"
    assert len(printed) == 6
    assert all("(0, 'happiness')" in line for line in printed[1:])


def test_stream_example_runs(address: str, folder: Path) -> None:
    example = blocks("python")[0]
    printed = run_example([sys.executable, "-c", example.replace("localhost:8000", address)], folder)
    assert printed.startswith("[{")
    assert "'label': 'happiness'" in printed
