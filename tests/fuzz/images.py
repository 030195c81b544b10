"""Damaged picture files into the decoder, in a process whose memory is capped and that no file may hang.

`python -m tests.fuzz.images --inputs 100000`: real JPEG, PNG and WebP files, mutated by hypothesis.
"""

import argparse
import faulthandler
import io
import math
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import hypothesis
import matplotlib as mpl
import skimage
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from PIL import Image

from fer_gateway.errors import ImageError
from fer_gateway.vision.decode import decode_grey

MAX_PIXELS = 1_000_000
"""The limit that is declared to the decoder here."""
BYTES_A_PIXEL = 12
"""Room for what it may use: 16-bit colours, their grey copy, the coefficients of a progressive JPEG."""
SLACK_BYTES = 32 * 1024 * 1024
"""For libraries and Python themselves."""
AGAIN, ROUNDS = 500, 8
"""So many inputs are decoded again and again at the end, ..."""
KEPT_BYTES = 4 * 1024 * 1024
"""... and may leave so much behind."""
HANGS_AFTER_S = 120.0
"""For a hundred files, on a machine that may be busy."""
PHOTOS = (
    Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg",
    Path(skimage.__file__).parent / "data" / "astronaut.png",
)
VARIANTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("JPEG", "RGB", {}),
    ("JPEG", "L", {"progressive": True}),
    ("JPEG", "CMYK", {"subsampling": 0}),
    ("PNG", "RGB", {}),
    ("PNG", "P", {}),
    ("PNG", "I;16", {}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {"lossless": True}),
)


def corpus() -> list[bytes]:
    """Two photos, small, in every variant, with and without an EXIF orientation."""
    files = []
    for photo in PHOTOS:
        small = Image.open(photo).resize((96, 72))
        for kind, mode, options in VARIANTS:
            for orientation in (None, 6):
                exif = Image.Exif()
                if orientation is not None:
                    exif[0x0112] = orientation
                file = io.BytesIO()
                image = small.convert("L").convert(mode) if mode == "I;16" else small.convert(mode)
                image.save(file, kind, exif=exif, **options)
                files.append(file.getvalue())
    return files


Change = Callable[[bytearray], bytearray]


def changes() -> st.SearchStrategy[Change]:
    """One damage to a file; places are shares of its length, half of them where sizes stand."""
    place = st.one_of(st.floats(0, 1), st.floats(0, 0.03))
    value = st.one_of(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]), st.integers(0, 255))

    def put(share: float, values: list[int]) -> Change:
        def change(data: bytearray) -> bytearray:
            start = int(share * len(data))
            data[start : start + len(values)] = bytes(values)
            return data

        return change

    def cut(share: float, length: float) -> Change:
        return lambda data: data[: int(share * len(data))] + data[int((share + length) * len(data)) :]

    def double(share: float, length: float) -> Change:
        return lambda data: data[: int((share + length) * len(data))] + data[int(share * len(data)) :]

    return st.one_of(
        st.builds(put, place, st.lists(value, min_size=1, max_size=4)),
        st.builds(cut, place, st.floats(0, 1)),
        st.builds(double, place, st.floats(0, 0.2)),
    )


def in_use(name: str = "VmRSS") -> int:
    """Memory of this process in bytes, as Linux calls it."""
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return int(status.partition(f"{name}:")[2].split()[0]) * 1024


class Memory:
    """Caps what the work in its blocks takes of memory, and tells how much that was; in bytes, from Linux."""

    def __init__(self, cap_bytes: int) -> None:
        self._cap_bytes = cap_bytes
        self.highest = 0
        """Within one block, over what there was before."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        Path("/proc/self/clear_refs").write_text("5", "ascii")  # forget the peak so far
        before = in_use("VmRSS")
        resource.setrlimit(resource.RLIMIT_AS, (in_use("VmSize") + self._cap_bytes, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            self.highest = max(self.highest, in_use("VmHWM") - before)


def largest() -> bytes:
    """A picture of as many pixels as the decoder may take here."""
    file = io.BytesIO()
    side_px = math.isqrt(MAX_PIXELS)
    Image.effect_noise((side_px, side_px), 60).save(file, "PNG")
    return file.getvalue()


def kept(files: Sequence[bytes]) -> int:
    """What stays in memory after all files were decoded often, over what stays after once, in bytes.

    Not measured while hypothesis is at work: it remembers what it tried, which is far more.
    """
    before = 0
    for turn in range(1 + ROUNDS):
        for file in files:
            with suppress(ImageError):
                decode_grey(file, max_pixels=MAX_PIXELS)
        if turn == 0:
            before = in_use()
    return in_use() - before


def main() -> int:
    """Fuzz, and print what became of the inputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=5000)
    inputs = parser.parse_args().inputs
    files = corpus()
    for file in files:
        decode_grey(file, max_pixels=MAX_PIXELS)  # what libraries load at first use is not what is capped
    outcomes: Counter[str] = Counter()
    tried: list[bytes] = []
    allowed_bytes = MAX_PIXELS * BYTES_A_PIXEL + SLACK_BYTES
    # The cap is higher: under it the decoder would only call the file damaged.
    memory, proof = Memory(4 * allowed_bytes), Memory(4 * allowed_bytes)
    with proof.watched():
        decode_grey(largest(), max_pixels=MAX_PIXELS)
    assert proof.highest >= MAX_PIXELS, "what a picture takes is not seen"

    @hypothesis.settings(
        max_examples=inputs, deadline=None, database=None, derandomize=True,
        phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(st.sampled_from(files), st.lists(changes(), min_size=1, max_size=3))
    def fuzz(file: bytes, damages: list[Change]) -> None:
        changed = bytearray(file)
        for damage in damages:
            changed = damage(changed)
        data = bytes(changed)
        if len(tried) < AGAIN:
            tried.append(data)
        if outcomes.total() % 100 == 0:  # each call makes a thread
            faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
        try:
            with memory.watched():
                grey = decode_grey(data, max_pixels=MAX_PIXELS)
        except ImageError as error:
            outcomes[error.code] += 1
        else:
            assert grey.size <= MAX_PIXELS
            outcomes["decoded"] += 1

    started_s = time.monotonic()
    fuzz()
    faulthandler.cancel_dump_traceback_later()
    print(
        f"{outcomes.total()} inputs in {time.monotonic() - started_s:.0f} s: {dict(sorted(outcomes.items()))}"
    )
    pairs = (
        ("for one input", memory.highest, allowed_bytes),
        (f"kept after {ROUNDS} x {len(tried)}", kept(tried), KEPT_BYTES),
    )
    for what, taken, allowed in pairs:
        print(f"memory {what}: {taken / 2**20:.1f} MiB, allowed are {allowed / 2**20:.0f} MiB")
    return 1 if any(taken > allowed for _, taken, allowed in pairs) else 0


if __name__ == "__main__":
    sys.exit(main())
