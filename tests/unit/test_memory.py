"""Models load in less memory where large pieces go back to the system at once."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys
from contextlib import nullcontext
from fer_gateway.commands.benchmark.process import peak_rss_mb
from fer_gateway.memory import lean_loading
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_MODEL
with lean_loading() if sys.argv[1] == "lean" else nullcontext():
    EmotionModel.open(PACKAGED_MODEL)
print(peak_rss_mb(os.getpid()))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no `/proc` tells of memory here")
def test_loading_takes_less_memory() -> None:
    def peak_mb(how: str) -> float:
        command = [sys.executable, "-c", PROGRAM, how]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert peak_mb("lean") < peak_mb("as it comes") - 2


SWAPS = """
import os, sys, threading
from fer_gateway.memory import one_heap
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_MODEL
if sys.argv[1] == "one heap":
    one_heap()
heaps = set()
def swap():
    EmotionModel.open(PACKAGED_MODEL)
    with open("/proc/self/smaps") as file:  # a heap of a thread begins at a multiple of 64 MiB
        starts = [line.split("-")[0] for line in file if line[0] in "0123456789abcdef" and "-" in line]
    heaps.update(start for start in starts if int(start, 16) % 2**26 == 0)
threads = [threading.Thread(target=swap) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(heaps))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")
def test_threads_share_one_heap() -> None:
    def heaps(how: str) -> int:
        command = [sys.executable, "-c", SWAPS, how]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert heaps("one heap") < heaps("as it comes")
