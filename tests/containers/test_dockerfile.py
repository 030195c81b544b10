"""The Dockerfile: pinned, small, without root, checked while it runs; what linters would say."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .dockerfile import Stage, read_instructions, read_stages

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = ROOT / "docker" / "Dockerfile"
STAGES = read_stages(DOCKERFILE)
FINAL = STAGES[-1]

every_stage = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name or "final")


@every_stage
def test_the_base_is_pinned_to_a_date(stage: Stage) -> None:
    assert re.fullmatch(r"debian:[a-z]+-20\d{6}-slim", stage.base)


@every_stage
def test_apt_brings_no_more_than_asked_and_leaves_no_lists(stage: Stage) -> None:
    for run in stage.all("RUN"):
        for command in re.findall(r"apt-get install[^&]*", run.text):
            assert "--yes" in command
            assert "--no-install-recommends" in command
        if "apt-get" in run.text:
            assert run.text.startswith("apt-get update && apt-get install")
            assert "rm -rf /var/lib/apt/lists/*" in run.text
        assert not re.search(r"\bapt (install|update)|apt-get (dist-)?upgrade|\bsudo\b|curl|wget", run.text)


@every_stage
def test_pip_takes_only_what_the_lock_names(stage: Stage) -> None:
    installs = [text for run in stage.all("RUN") for text in re.findall(r"pip install[^&]*", run.text)]
    for text in installs:
        assert "--no-cache-dir" in text
        assert "--no-deps" in text
        assert "--require-hashes --no-deps --requirement requirements-serve.txt" in text or text.endswith(
            ". "
        )


def test_copies_are_exact() -> None:
    for stage in STAGES:
        assert not stage.all("ADD"), "`ADD` unpacks and downloads; `COPY` copies"
        for copy in stage.all("COPY"):
            sources = copy.words[:-1]
            assert "." not in sources, "a copy of everything takes secrets and data sets along"
            if "from" not in copy.flags:
                assert not [source for source in sources if not (ROOT / source).exists()]


def test_the_context_is_a_list_of_what_is_needed() -> None:
    lines = (ROOT / "docker" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*"
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {source for copy in STAGES[0].all("COPY") for source in copy.words[:-1]}
    assert copied == allowed


def test_it_runs_as_a_user_without_rights() -> None:
    (user,) = FINAL.all("USER")
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", user.text), "a number: Kubernetes cannot check a name"
    after = FINAL.instructions[FINAL.instructions.index(user) :]
    assert not [instruction for instruction in after if instruction.name in ("RUN", "COPY")]


def test_it_can_be_told_what_to_do_and_how_it_is() -> None:
    (health,) = FINAL.all("HEALTHCHECK")
    assert {"interval", "timeout", "start-period", "retries"} == set(health.flags)
    assert health.text.startswith("CMD [")
    (entry,), (command,) = FINAL.all("ENTRYPOINT"), FINAL.all("CMD")
    assert (entry.words, command.words) == (["fer-gateway"], ["serve"]), "no shell in between: signals arrive"
    (environment,) = FINAL.all("ENV")
    assert environment.pairs["PYTHONDONTWRITEBYTECODE"] == "1", "the root file system is read-only"
    (port,) = FINAL.all("EXPOSE")
    assert environment.pairs["FER_PORT"] == port.text


def test_no_secret_and_no_moving_tag() -> None:
    for instruction in read_instructions(DOCKERFILE):
        assert not re.search(r"(?i)password|secret|:latest\b", instruction.text)


def needed_by(name: str) -> set[str]:
    """The distributions that an installed one needs here, and those that they need."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for text in requires(waiting.pop()) or []:
            requirement = Requirement(text)
            wanted = canonicalize_name(requirement.name)
            if wanted not in found and (
                requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            ):
                found.add(wanted)
                waiting.append(wanted)
    return found


def test_what_only_builds_is_removed() -> None:
    only_builds = ({"hatchling", "editables"} | needed_by("hatchling")) - needed_by("fer-gateway")
    (text,) = [run.text for run in STAGES[0].all("RUN") if "pip uninstall" in run.text]
    removed = re.search(r"pip uninstall --yes ([^&]*) &&", text)
    assert removed is not None
    assert removed[1].split() == [*sorted(only_builds), "pip"]
