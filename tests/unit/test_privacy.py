"""What the processes of this project leave behind, and would tell others: nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

OPEN = "from fer_gateway.analyzer import Analyzer; Analyzer.open()"
TRAIN = """
import fer_training.network.graph, onnxruntime
from fer_gateway.models import PACKAGED_LANDMARKS
onnxruntime.InferenceSession(PACKAGED_LANDMARKS, providers=["CPUExecutionProvider"])
"""


@pytest.mark.parametrize("program", [OPEN, TRAIN], ids=["gateway", "training"])
def test_onnx_runtime_keeps_no_identifier_and_no_events(tmp_path: Path, program: str) -> None:
    """Unless told otherwise, version 1.29 and later write both into the cache folder, and send events.

    They are silent where a variable says that it is a test: such variables are taken away.
    """
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
    env = kept | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", program], env=env, check=True, timeout=120)
    assert list(tmp_path.rglob("*")) == []
