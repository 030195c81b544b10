"""Every `python -m fer_training` command of a page or an experiment file is one that the parser takes."""

import re
import shlex
from pathlib import Path

import pytest

from fer_training.cli import parser
from fer_training.learning.config import load_config

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted((ROOT / "training/configs").glob("*.toml"))
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "training").glob("*.md"))),
    *(str(path.relative_to(ROOT)) for path in EXPERIMENTS),
)
VARIABLES = {"$protocol": "subjects", "$fusion": "half"}
"""What loops of a shell run through, one value each."""

COMMAND = re.compile(r"python -m fer_training (?P<words>[a-z][^`#]*?)(?:`|  #|$)")


def commands(page: str) -> list[list[str]]:
    """The words of each whole command of a page; a mere name, or one with `...`, is none."""
    text = re.sub(r"\\\n(?:#)? *", "", (ROOT / page).read_text("utf-8"))
    found = []
    for line in text.splitlines():
        for match in COMMAND.finditer(line):
            words = [VARIABLES.get(word, word) for word in shlex.split(match["words"])]
            if len(words) > 1 and "..." not in match["words"] and "|" not in words:
                found.append(words)
    return found


ALL = [(page, words) for page in PAGES for words in commands(page)]


def test_commands_are_found() -> None:
    assert len(ALL) >= 40
    assert {page for page, _ in ALL} >= {"README.md", "CONTRIBUTING.md", "training/PAPER.md"}


@pytest.mark.parametrize(("page", "words"), ALL, ids=[" ".join(words)[:90] for _, words in ALL])
def test_the_parser_takes_it(page: str, words: list[str]) -> None:
    arguments = parser().parse_args(words)
    config = getattr(arguments, "config", None)
    assert config is None or (ROOT / config).is_file() or config.name == "CONFIG", f"{page} names no file"


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_the_experiments_that_are_committed_can_be_read(path: Path) -> None:
    assert load_config(path).name == path.stem
