"""A Dockerfile as instructions: read for the checks on it, and for running its steps without an engine."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its lines joined."""

    name: str
    """In capitals: `RUN`."""
    text: str
    """What follows the name, flags left out."""
    flags: dict[str, str]
    """`--from=build` is `{"from": "build"}`."""
    line: int
    """Where it begins, from 1."""

    @property
    def words(self) -> list[str]:
        """The exec form's list, else the text at its spaces."""
        if self.text.startswith("["):
            words: list[str] = json.loads(self.text)
            return words
        return self.text.split()

    @property
    def pairs(self) -> dict[str, str]:
        """`ENV a=b c="d e"` and `ARG a=b` by name; a name without a value has an empty one."""
        found = re.findall(r"(\w+)(?:=(\"[^\"]*\"|\S*))?", self.text)
        return {name: value.strip('"') for name, value in found}


@dataclass(frozen=True, slots=True)
class Stage:
    """What is between one `FROM` and the next."""

    base: str
    """The image it starts from, arguments filled in."""
    name: str
    instructions: tuple[Instruction, ...]

    def all(self, name: str) -> list[Instruction]:
        """The instructions of one kind."""
        return [instruction for instruction in self.instructions if instruction.name == name]


def read_instructions(path: Path) -> list[Instruction]:
    """Every instruction of a Dockerfile; comments and empty lines are left out."""
    found: list[Instruction] = []
    pending, begun = "", 0
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.lstrip().startswith("#") or not (line.strip() or pending):
            continue
        begun = begun if pending else number
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending.removesuffix("\\")
            continue
        name, _, rest = pending.partition(" ")
        flags: dict[str, str] = {}
        while match := re.match(r"--([\w-]+)=(\S+)\s+", rest):
            flags[match[1]] = match[2]
            rest = rest[match.end() :]
        found.append(Instruction(name.upper(), rest.strip(), flags, begun))
        pending = ""
    return found


def read_stages(path: Path) -> list[Stage]:
    """The stages of a Dockerfile; arguments before the first `FROM` are filled in where they are used."""
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for instruction in read_instructions(path):
        if instruction.name == "FROM":
            base, _, name = instruction.text.partition(" AS ")
            for argument, value in arguments.items():
                base = base.replace(f"${{{argument}}}", value)
            stages.append(Stage(base, name, ()))
        elif stages:
            last = stages[-1]
            stages[-1] = replace(last, instructions=(*last.instructions, instruction))
        else:
            arguments |= instruction.pairs
    return stages
