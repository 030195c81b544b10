"""The rules of the house that no reviewer should have to check: layers, purity, state, lengths, folders."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GATEWAY = ROOT / "server" / "fer_gateway"
TRAINING = ROOT / "training" / "fer_training"
PYTHON_FILES = sorted([*GATEWAY.rglob("*.py"), *TRAINING.rglob("*.py")])
TRAINING_FILES = [path for path in PYTHON_FILES if path.is_relative_to(TRAINING)]
GATEWAY_FILES = [path for path in PYTHON_FILES if path.is_relative_to(GATEWAY)]

LAYERS = (
    {"errors", "models"},
    {"contract"},
    {"vision"},
    {"inference"},
    {"tracking"},
    {"options", "faces", "doubt"},
    {"analyzer"},
    {"follower"},
    {"live", "explain"},
    {"footage", "library"},
    {"memory", "presets", "power"},
    {"settings"},
    {"configuration", "logs"},
    {"lan"},
    {"api"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
"""Parts of `fer_gateway`, lowest first; each may import only from the layers before its own."""

TRAINING_LAYERS = (
    {"errors"},
    {"crops", "network"},
    {"data"},
    {"learning"},
    {"landmarks"},
    {"proposals"},
    {"detection"},
    {"measure"},
    {"release"},
    {"protocols"},
    {"options"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
"""Parts of `fer_training`, lowest first; each may import only from the layers before its own."""

TRAINING_MAY_USE = {"errors", "models", "contract", "vision", "inference", "analyzer", "faces"}
"""What both sides share; the `analyzer`, with its `faces`, so that the gateway itself is what is measured."""
NEVER_IN_THE_GATEWAY = {"fer_training", "torch", "torchvision", "onnx", "PIL"}
THIRD_PARTY = {
    "errors": set[str](),
    "contract": {"pydantic"},
    "vision": {"cv2", "numpy"},
    "tracking": {"numpy"},
}
IMPURE = {"asyncio", "datetime", "logging", "random", "socket", "subprocess", "time", "urllib"}
PURE = ("contract", "vision", "tracking")

MUTABLE_CALLS = {"bytearray", "Counter", "defaultdict", "deque", "dict", "list", "OrderedDict", "set"}
READ_ONLY_TYPES = {"AbstractSet", "Collection", "Mapping", "Sequence"}

HARD_CAP_LINES = 300
FOLDERS = {".ci", "docker", "server", "tests", "training", "web"}
DATA_SUFFIXES = (".ckpt", ".csv", ".gz", ".npz", ".onnx", ".parquet", ".pt", ".pth", ".safetensors", ".zip")
DATA_HOMES = ("server/fer_gateway/models/", "training/weights/", "tests/golden/")
PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".mjpeg", ".mp4", ".png", ".tiff", ".webm", ".webp")
PICTURE_HOMES = ("training/figures/", "web/", "tests/golden/", "tests/screenshots/")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def every(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=name_of)


def part_of(path: Path, package: Path = GATEWAY) -> str:
    """The part of a package that a file belongs to: `vision` for vision/align.py, `cli` for cli.py."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def layer_of(part: str, layers: Sequence[set[str]] = LAYERS) -> int:
    for index, parts in enumerate(layers):
        if part in parts:
            return index
    raise AssertionError(f"`{part}` has no place in the layers: decide which one it belongs to")


def imports_of(path: Path) -> Iterator[str]:
    """Every imported name, dotted: `from fer_gateway import errors` counts as `fer_gateway.errors`."""
    return imports_in(ast.parse(path.read_text("utf-8")))


def imports_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write the import in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def gateway_parts_in(path: Path) -> set[str]:
    return parts_in(path, "fer_gateway")


def parts_in(path: Path, package: str) -> set[str]:
    names = (name.split(".") for name in imports_of(path))
    return {name[1] for name in names if name[0] == package and name[1:] not in ([], ["__version__"])}


@every(GATEWAY_FILES)
def test_gateway_imports_only_lower_layers(path: Path) -> None:
    own = part_of(path)
    if own == "__init__":  # names for type checkers only: `import fer_gateway` loads nothing
        when_run = [node for node in ast.parse(path.read_text("utf-8")).body if not isinstance(node, ast.If)]
        assert "fer_gateway" not in {name.split(".")[0] for node in when_run for name in imports_in(node)}
        return
    too_high = {part for part in gateway_parts_in(path) - {own} if layer_of(part) >= layer_of(own)}
    assert not too_high, f"`{own}` may not import {sorted(too_high)}"


@every(GATEWAY_FILES)
def test_gateway_never_needs_training(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports_of(path)} & NEVER_IN_THE_GATEWAY


@every(TRAINING_FILES)
def test_training_imports_only_lower_layers(path: Path) -> None:
    own = part_of(path, TRAINING)
    others = parts_in(path, "fer_training") - {own}
    too_high = {part for part in others if layer_of(part, TRAINING_LAYERS) >= layer_of(own, TRAINING_LAYERS)}
    assert own == "__init__" or not too_high, f"`{own}` may not import {sorted(too_high)}"


@every(TRAINING_FILES)
def test_training_imports_only_what_it_shares(path: Path) -> None:
    assert gateway_parts_in(path) <= TRAINING_MAY_USE


@every([path for path in GATEWAY_FILES if part_of(path) in THIRD_PARTY])
def test_lower_layers_stand_on_few_packages(path: Path) -> None:
    top_level = (
        {name.split(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names) - {"fer_gateway"}
    )
    assert top_level <= THIRD_PARTY[part_of(path)]


@every([path for path in GATEWAY_FILES if part_of(path) in PURE])
def test_pure_layers_know_no_clock_log_or_network(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports_of(path)} & IMPURE


@every(PYTHON_FILES)
def test_no_mutable_state_in_modules(path: Path) -> None:
    """A table is fine where its annotation is read-only (`Mapping`, `Sequence`): mypy then guards it."""
    tree = ast.parse(path.read_text("utf-8"))
    guilty = [node.lineno for node in tree.body if binds_mutable(node)]
    guilty += [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global)]
    assert not guilty, f"{name_of(path)}: mutable module state in lines {guilty}"


def binds_mutable(node: ast.stmt) -> bool:
    if isinstance(node, ast.AnnAssign):
        outer = node.annotation.value if isinstance(node.annotation, ast.Subscript) else node.annotation
        read_only = isinstance(outer, ast.Name) and outer.id in READ_ONLY_TYPES
        return node.value is not None and is_mutable(node.value) and not read_only
    if isinstance(node, ast.Assign):
        dunder = all(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
        return is_mutable(node.value) and not dunder
    return False


def is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        called = value.func
        return getattr(called, "id", getattr(called, "attr", None)) in MUTABLE_CALLS
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("cache = {}", True),
        ("cache: dict[str, int] = {}", True),
        ("cache: dict[str, Sequence[int]] = {}", True),
        ("seen = set()", True),
        ("queue = collections.deque()", True),
        ("names = [n for n in 'ab']", True),
        ("TABLE: Mapping[str, int] = {'a': 1}", False),
        ("__all__ = ['a']", False),
        ("NAMES = ('a', 'b')", False),
        ("ALLOWED = frozenset({'a'})", False),
    ],
)
def test_the_rule_on_mutable_state_sees_it(code: str, *, expected: bool) -> None:
    assert binds_mutable(ast.parse(code).body[0]) is expected


@every([*PYTHON_FILES, *sorted((ROOT / "web").rglob("*.js")), *sorted((ROOT / "web").rglob("*.css"))])
def test_files_stay_short(path: Path) -> None:
    """200 lines is the aim, 300 the limit."""
    assert len(path.read_text("utf-8").splitlines()) <= HARD_CAP_LINES


@every(PYTHON_FILES)
def test_modules_say_what_they_are(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring, "a module starts with a docstring"
    assert docstring.splitlines()[0].endswith((".", ":", "?")), "its first line is a sentence"


def tracked_files() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]


def test_folders_are_the_documented_ones() -> None:
    assert {name.split("/")[0] for name in tracked_files() if "/" in name} <= FOLDERS


def test_no_data_set_is_tracked() -> None:
    for suffixes, homes in ((DATA_SUFFIXES, DATA_HOMES), (PICTURE_SUFFIXES, PICTURE_HOMES)):
        found = [name for name in tracked_files() if name.lower().endswith(suffixes)]
        assert not [name for name in found if not name.startswith(homes)]


def test_no_third_party_javascript_is_tracked() -> None:
    assert not [name for name in tracked_files() if "node_modules/" in name or name.endswith(".min.js")]
