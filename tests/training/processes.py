"""Training as users start it: as a process, or as several of `torchrun`; and a tiny experiment for it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
WITHIN_S = 400.0
PACKAGE = ("-m", "fer_training")

TINY = """
epochs = 4
batch_size = 16
learning_rate = 5e-3
warmup_epochs = 0.5
ema_decay = 0.5
[model]
image_size = 32
width = 0.25
vit_dim = 16
vit_depth = 1
vit_heads = 2
fused_dim = 16
"""


def write_config(path: Path, *, top: str = "", below: str = "", **changes: str) -> Path:
    """The tiny experiment with other values for some of its lines, and more lines before and after."""
    lines = dict(line.split(" = ") for line in TINY.splitlines() if " = " in line) | changes
    head = TINY.index("[model]")
    first = [name for name in lines if f"\n{name} = " in TINY[:head]]
    text = "\n".join(f"{name} = {lines[name]}" for name in first)
    model = "\n".join(f"{name} = {value}" for name, value in lines.items() if name not in first)
    path.write_text(f"{top}\n{text}\n[model]\n{model}\n{below}\n", encoding="utf-8")
    return path


def command(processes: int, program: Sequence[str]) -> list[str]:
    """A program for Python, `-m fer_training` or a file; of several processes, by the real `torchrun`."""
    if processes == 1:
        return [sys.executable, *program]
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [*run, *program]


def start(
    arguments: Sequence[str], processes: int = 1, program: Sequence[str] = PACKAGE
) -> "subprocess.Popen[str]":
    """One thread a process, so that sums have one order."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command(processes, program), *arguments],
        env=environment,
        cwd=REPOSITORY,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(
    arguments: Sequence[str], processes: int = 1, program: Sequence[str] = PACKAGE, *, status: int = 0
) -> str:
    """Run to the end; what it said."""
    with start(arguments, processes, program) as process:
        try:
            said, _ = process.communicate(timeout=WITHIN_S)
        except subprocess.TimeoutExpired:
            kill(process)
            raise
    assert process.returncode == status, said
    return said


def kill(process: "subprocess.Popen[str]") -> str:
    """`kill -9` it and the processes that `torchrun` started for it; what they had said."""
    for number in (*children_of(process), process.pid):
        os.kill(number, signal.SIGKILL)
    return process.communicate()[0]


def children_of(process: "subprocess.Popen[str]") -> list[int]:
    """The processes of `torchrun`, by rank: each is in a session of its own."""
    return sorted(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))


def train(config: Path, data: Path, run: Path, *more: str) -> list[str]:
    """The arguments of `train`."""
    folder = ["--run-folder", str(run)]
    return ["train", str(config), "--data", str(data), *folder, "--device", "cpu", *more]


def history(run: Path) -> list[dict[str, float]]:
    """The epochs of a run."""
    return [json.loads(line) for line in (run / "history.jsonl").read_text("utf-8").splitlines()]
