"""The distribution: built for real, installed outside the checkout, and run there."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import onnx
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from fer_gateway import __version__
from fer_gateway.models import PACKAGED_LANDMARKS, PACKAGED_MODEL

ROOT = Path(__file__).parent.parent
WEB_SUFFIXES = {
    ".css",
    ".html",
    ".ico",
    ".js",
    ".json",
    ".png",
    ".svg",
    ".txt",
    ".webmanifest",
    ".webp",
    ".woff2",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ("requirements-serve.txt", "requirements-test.txt", "requirements-node.txt")

ANDROID = {"sys_platform": "android", "python_version": "3.14", "python_full_version": "3.14.0"}
LINUX = {"sys_platform": "linux", "python_version": "3.11", "python_full_version": "3.11.2"}
LINUX_3_14 = {**LINUX, "python_version": "3.14", "python_full_version": "3.14.0"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution, so that both hold what they must."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    assert len(list(out.glob("*.tar.gz"))) == 1
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def gateway(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `fer-gateway` command of a new environment that holds the wheel.

    Other packages are lent by the environment of the tests, through a path file: fast, and without a network.
    Path files found along it are not followed, so the checkout itself stays out of reach.
    """
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True)
    paths = {"base": str(home), "platbase": str(home)}
    site_packages = Path(sysconfig.get_path("purelib", vars=paths))
    lent = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (site_packages / "lent.pth").write_text("\n".join(lent) + "\n", "utf-8")
    return home / "bin" / "fer-gateway"


def run(command: Path, *arguments: str, cwd: Path) -> str:
    ours = ("FER_", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    process = subprocess.run(
        [command, *arguments], check=False, capture_output=True, text=True, cwd=cwd, env=environment
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_holds_everything_that_runs(wheel: Path) -> None:
    names = set(names_in(wheel))
    gateway = ROOT / "server" / "fer_gateway"
    sources = {path.relative_to(ROOT / "server").as_posix() for path in gateway.rglob("*.py")}
    sources |= {f"fer_gateway/lan/pages/{path.name}" for path in (gateway / "lan" / "pages").iterdir()}
    sources |= {path.relative_to(ROOT / "training").as_posix() for path in (ROOT / "training").rglob("*.py")}
    pages = {
        f"fer_gateway/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "web").rglob("*")
        if path.is_file() and path.suffix not in (".md", ".ts")  # for people and for `tsc`
    }
    needed = sources | pages | {"fer_gateway/py.typed", "fer_gateway/models/default.onnx"}
    assert "fer_gateway/web/index.html" in pages
    assert not needed - names


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    metadata = f"fer_gateway-{__version__}.dist-info/"
    for name in names_in(wheel):
        assert name.startswith(("fer_gateway/", "fer_training/", metadata)), name
        if name.startswith("fer_gateway/web/"):
            assert Path(name).suffix in WEB_SUFFIXES, name
    assert not [name for name in names_in(wheel) if "test" in Path(name).parts or "node_modules" in name]


def test_wheel_states_version_and_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"fer_gateway-{__version__}.dist-info/METADATA").decode()
    assert PROJECT["version"] == __version__
    assert f"Version: {__version__}\n" in metadata
    assert "License-Expression: Apache-2.0\n" in metadata


def test_installed_wheel_comes_from_the_wheel(gateway: Path, tmp_path: Path) -> None:
    code = "import fer_gateway, fer_training; print(fer_gateway.__file__); print(fer_training.__file__)"
    printed = run(gateway.with_name("python"), "-c", code, cwd=tmp_path)
    assert all(line.startswith(str(gateway.parent.parent)) for line in printed.split())


def test_installed_command_tells_its_version(gateway: Path, tmp_path: Path) -> None:
    assert __version__ in run(gateway, "--version", cwd=tmp_path)


def test_installed_doctor_finds_all_in_order(gateway: Path, tmp_path: Path) -> None:
    report = run(gateway, "doctor", cwd=tmp_path)
    assert "Haar" in report
    assert "CPUExecutionProvider" in report


def test_installed_command_finds_the_face(gateway: Path, grace_hopper: Path, tmp_path: Path) -> None:
    answer = json.loads(run(gateway, "analyze", "--json", str(grace_hopper), cwd=tmp_path))
    assert len(answer["faces"]) == 1
    assert sum(answer["faces"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def requirements_for(environment: Mapping[str, str]) -> dict[str, SpecifierSet]:
    requirements = [Requirement(text) for text in PROJECT["dependencies"]]
    wanted = [item for item in requirements if not item.marker or item.marker.evaluate(dict(environment))]
    assert len({item.name for item in wanted}) == len(wanted), "a package is required twice"
    assert not [item for item in wanted if item.extras], "`uvicorn[standard]` does not build on a phone"
    return {item.name: item.specifier for item in wanted}


def test_requirements_of_a_phone() -> None:
    """Termux: OpenCV from its own repository, a pydantic-core wheel for exactly one pydantic, Python 3.14."""
    wanted = requirements_for(ANDROID)
    assert "opencv-python-headless" not in wanted
    assert "4.14.0" in wanted["opencv-python"]
    assert "5.0.0" not in wanted["opencv-python"]
    assert str(wanted["pydantic"]) == "==2.12.5"


def test_requirements_of_a_computer() -> None:
    wanted = requirements_for(LINUX)
    assert "opencv-python" not in wanted
    assert "4.14.0" in wanted["opencv-python-headless"]
    assert "5.0.0" not in wanted["opencv-python-headless"]
    assert "2.14.0" in wanted["pydantic"]


def test_no_python_is_shut_out() -> None:
    python = SpecifierSet(PROJECT["requires-python"])
    assert "3.10.14" not in python
    assert all(version in python for version in ("3.11.0", "3.12.0", "3.13.0", "3.14.0", "3.15.0"))


def pins_of(lock: str, environment: Mapping[str, str]) -> dict[str, str]:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    pins = [Requirement(line.removesuffix("\\").strip()) for line in lines if line[:1].isalnum()]
    wanted = [pin for pin in pins if not pin.marker or pin.marker.evaluate(dict(environment))]
    return {pin.name: str(pin.specifier) for pin in wanted}


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_with_hashes_and_name_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    blocks = [block for block in text.split("\n") if block[:1].isalnum()]
    assert blocks
    assert all("==" in block and block.endswith("\\") for block in blocks), "hashes follow every pin"


@pytest.mark.parametrize("environment", [LINUX, LINUX_3_14], ids=["3.11", "3.14"])
def test_locks_fit_the_requirements_and_each_other(environment: Mapping[str, str]) -> None:
    serve, test = (pins_of(lock, environment) for lock in LOCKS[:2])
    assert serve.items() <= test.items()
    for name, specifier in requirements_for(environment).items():
        assert serve[name].removeprefix("==") in specifier, f"`make lock`: `{name}` is out of date"
    assert "torch" not in test, "torch is installed by itself, see the Makefile"


def test_node_lock_names_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert installed
    assert all("integrity" in package and "resolved" not in package for package in installed.values())


@pytest.mark.parametrize("model", [PACKAGED_MODEL, PACKAGED_LANDMARKS], ids=lambda path: path.name)
def test_models_tell_nothing_of_the_machine_that_made_them(model: Path) -> None:
    graph = onnx.load(model).graph
    assert not [node.name for node in graph.node if node.metadata_props or node.doc_string]
    assert b"fer_training/" not in model.read_bytes()
