"""Other libraries beside this one: same frames, same core, frame by frame in turn. `make bench-peers`.

`--data ferplus.zip` measures recall on faces of FER+; without it, on faces of two photos. `--readme` writes
the table into the README.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.peers.contestants import Answer, Contestant
from tests.peers.install import Installed, install
from tests.peers.pictures import Picture, clip, from_data, from_photos, is_found, paths

from fer_gateway.vision.geometry import Box

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
START, END = "<!-- peers: `make bench-peers` writes this -->", "<!-- /peers -->"

OURS, OURS_STREAM = "ours, single pictures", "ours, stream"
FER, HUMAN, HUMAN_CACHED = "fer", "human, every frame anew", "human, its default with caching"
SINGLE = (OURS, FER, HUMAN)
RIVALS = (FER, HUMAN)
DEFAULTS = (FER, HUMAN_CACHED)
"""`fer` has no cache: its default analyses every frame."""

TIMES_SINGLE, TIMES_STREAM = 4.0, 12.0


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one contestant."""

    name: str
    version: str
    ms: float
    """Processor time; median of the frames of the clip."""
    peak_mb: float
    recall: float | None
    """Share of the small faces that were found; only where every picture is taken by itself."""


def commands(installed: Installed, frames: Sequence[str]) -> Mapping[str, list[str]]:
    """How each contestant is started."""
    human = ["node", str(HERE / "human.mjs"), str(installed.human_modules)]
    return {
        OURS: [sys.executable, str(HERE / "ours.py"), "single", *frames],
        OURS_STREAM: [sys.executable, str(HERE / "ours.py"), "stream", *frames],
        FER: [str(installed.fer_python), str(HERE / "fer_library.py"), *frames],
        HUMAN: [*human, "every", *frames],
        HUMAN_CACHED: [*human, "cached", *frames],
    }


def measure(installed: Installed, film: Sequence[Picture], small: Sequence[Picture]) -> list[Row]:
    """Every contestant on each frame of the clip in turn, after one round to warm up; then small faces."""
    frames = [*paths(film), *paths(small)]
    with ExitStack() as stack:
        contestants = [
            stack.enter_context(Contestant(name, command))
            for name, command in commands(installed, frames).items()
        ]
        times: dict[str, list[float]] = {one.name: [] for one in contestants}
        found: dict[str, int] = dict.fromkeys(SINGLE, 0)
        for number in range(min(5, len(film))):
            for one in contestants:
                one.ask(number)
        for number in range(len(film)):
            for one in contestants:
                times[one.name].append(one.ask(number).ms)
        for number, picture in enumerate(small, len(film)):
            for one in contestants:
                if one.name in found:
                    found[one.name] += _sees(one.ask(number), picture.face)
        return [
            Row(
                one.name,
                one.version,
                median(times[one.name]),
                one.peak_mb,
                found[one.name] / len(small) if one.name in found else None,
            )
            for one in contestants
        ]


def _sees(answer: Answer, face: Box) -> bool:
    return any(is_found(one.box, face) for one in answer.faces)


def table(rows: Sequence[Row], faces: str, core: str) -> str:
    """The table and the three lines, in Markdown."""
    lines = [
        "| | version | ms a frame | peak memory | recall on 80 px faces |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        recall = "" if row.recall is None else f"{row.recall:.0%}"
        lines.append(f"| {row.name} | {row.version} | {row.ms:.1f} | {row.peak_mb:.0f} MB | {recall} |")
    return "\n".join([*lines, "", *_method(faces, core), "", *_targets({row.name: row for row in rows})])


def _method(faces: str, core: str) -> list[str]:
    return [
        f"Medians of processor time on one core ({core}), in one run, frame by frame in turn; one face in",
        "640 x 480 pixels. Ours decodes the JPEG within its time, others get decoded pixels. `human` runs",
        f"detector, mesh and emotion on WebAssembly; `fer` has no cache. Recall: {faces}.",
    ]


def _targets(rows: Mapping[str, Row]) -> list[str]:
    """The three lines that say how it stands."""
    best = min((rows[name] for name in RIVALS), key=lambda row: row.ms)
    cached = min((rows[name] for name in DEFAULTS), key=lambda row: row.ms)
    ours, stream = rows[OURS], rows[OURS_STREAM]
    single, streaming = best.ms / ours.ms, best.ms / stream.ms
    below = "" if (ours.recall or 0) >= (best.recall or 0) else ", below that rival (missed)"
    slower = "no slower" if stream.ms <= cached.ms else f"{stream.ms / cached.ms:.1f} times slower (missed)"
    return [
        f"- Single pictures (their caching off, ours untracked): **{single:.1f} times** faster than the best",
        f"  of them, `{best.name}` ({_verdict(single, TIMES_SINGLE)}), with recall on 80 px faces of",
        f"  {ours.recall:.0%} against {best.recall:.0%}{below}.",
        f"- Streaming: **{streaming:.1f} times** faster than their every-frame analysis",
        f"  ({_verdict(streaming, TIMES_STREAM)}).",
        f"- Streaming, against the fastest rival in its cached default (`{cached.name}`) while we classify",
        f"  every frame: {stream.ms:.1f} ms against {cached.ms:.1f} ms, {slower}.",
    ]


def _verdict(reached: float, wanted: float) -> str:
    verdict = "met" if reached >= wanted else f"missed by {1 - reached / wanted:.0%}"
    return f"target {wanted:g} times: {verdict}"


def write_between(path: Path, text: str) -> None:
    """Replace what stands between the two marks of a file."""
    before, _, rest = path.read_text("utf-8").partition(START)
    _, _, after = rest.partition(END)
    if not rest or not after:
        raise SystemExit(f"`{path}` lacks the marks `{START}` and `{END}`")
    path.write_text(f"{before}{START}\n{text}\n{END}{after}", "utf-8")


def pictures_in(
    folder: Path, frames: int, faces: int, data: Path | None
) -> tuple[list[Picture], list[Picture]]:
    """The clip and the small faces; made, unless the folder holds as many of this kind."""
    kept = folder / "pictures.json"
    asked = [frames, faces, str(data)]
    if kept.exists() and (known := json.loads(kept.read_text("utf-8")))["asked"] == asked:
        film, small = (
            [Picture(Path(path), Box(*face)) for path, face in known[key]] for key in ("film", "small")
        )
        return film, small
    folder.mkdir(parents=True, exist_ok=True)
    film = clip(folder, frames)
    small = from_data(folder, data, faces) if data else from_photos(folder, faces)
    listed = {
        key: [(str(one.path), (one.face.x, one.face.y, one.face.width, one.face.height)) for one in pictures]
        for key, pictures in (("film", film), ("small", small))
    }
    kept.write_text(json.dumps({"asked": asked, **listed}), "utf-8")
    return film, small


def core_name() -> str:
    """What the processor calls itself."""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def main() -> int:
    """Install, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / ".peers", help="where they are installed")
    parser.add_argument("--core", type=int, default=0, help="processor core for all of them")
    parser.add_argument("--frames", type=int, default=60, help="of the clip")
    parser.add_argument("--faces", type=int, default=100, help="small ones, for recall")
    parser.add_argument("--data", type=Path, help="FER+ as a folder or zip file, for faces of many people")
    parser.add_argument("--pictures", type=Path, help="keep the pictures there, or take those that are there")
    parser.add_argument("--prepare", action="store_true", help="install, make the pictures, and stop")
    parser.add_argument("--readme", action="store_true", help="write the table into the README")
    parser.add_argument("--json", type=Path, help="write what was measured there")
    arguments = parser.parse_args()
    installed = install(arguments.folder)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.pictures or Path(temporary)
        film, small = pictures_in(folder, arguments.frames, arguments.faces, arguments.data)
        if arguments.prepare:
            return 0
        os.sched_setaffinity(0, {arguments.core})
        rows = measure(installed, film, small)
    whose = "of the test part of FER+, enlarged" if arguments.data else "of two photos, mirrored, moved, lit"
    text = table(rows, f"{len(small)} faces {whose}", core_name())
    print(text)
    if arguments.readme:
        write_between(ROOT / "README.md", text)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
