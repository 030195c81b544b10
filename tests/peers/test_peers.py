"""The comparison with other libraries: our side runs, and what is said follows from what was measured."""

import sys
from pathlib import Path

import pytest
from tests.peers import measure
from tests.peers.contestants import Contestant
from tests.peers.measure import FER, HUMAN, HUMAN_CACHED, OURS, OURS_STREAM, Row, table, write_between
from tests.peers.pictures import SIDE_PX, clip, from_photos, is_found, paths

from fer_gateway.vision.geometry import Box

FACE = Box(100, 100, 80, 80)


@pytest.mark.parametrize(
    ("box", "found"),
    [
        (FACE, True),
        (Box(80, 80, 120, 120), True),
        (Box(110, 110, 50, 50), True),
        (Box(190, 100, 80, 80), False),
        (Box(0, 0, 280, 280), False),
        (Box(130, 130, 20, 20), False),
    ],
)
def test_a_box_means_a_face_however_it_is_framed(box: Box, *, found: bool) -> None:
    assert is_found(box, FACE) is found


@pytest.mark.parametrize("mode", ["single", "stream"])
def test_our_side_finds_the_faces_of_the_pictures(mode: str, tmp_path: Path) -> None:
    """Of the clip and of the small ones: where the pictures say that they are."""
    pictures = [*clip(tmp_path, 4), *from_photos(tmp_path, 2)]
    assert {picture.face.width for picture in pictures[4:]} == {SIDE_PX}
    command = [sys.executable, str(Path(measure.__file__).with_name("ours.py")), mode, *paths(pictures)]
    with Contestant("ours", command) as ours:
        for number, picture in enumerate(pictures if mode == "single" else pictures[:2]):
            answer = ours.ask(number)
            assert answer.ms > 0
            assert [is_found(face.box, picture.face) for face in answer.faces] == [True]
        assert 50 < ours.peak_mb < 2000


def rows(single_ms: float, stream_ms: float, recall: float) -> list[Row]:
    return [
        Row(OURS, "1", single_ms, 100, recall),
        Row(OURS_STREAM, "1", stream_ms, 100, None),
        Row(FER, "2", 70, 600, 0.8),
        Row(HUMAN, "3", 60, 300, 0.9),
        Row(HUMAN_CACHED, "3", 20, 300, None),
    ]


def test_targets_that_are_met() -> None:
    text = " ".join(table(rows(12, 4, 0.95), "faces", "core").split())
    assert (
        "**5.0 times** faster than the best of them, `human, every frame anew` (target 4 times: met)" in text
    )
    assert "95% against 90%." in text
    assert "**15.0 times** faster than their every-frame analysis (target 12 times: met)" in text
    assert "4.0 ms against 20.0 ms, no slower" in text


def test_targets_that_are_missed() -> None:
    text = " ".join(table(rows(20, 24, 0.85), "faces", "core").split())
    assert "**3.0 times** faster than the best" in text
    assert "`human, every frame anew` (target 4 times: missed by 25%)" in text
    assert "85% against 90%, below that rival (missed)." in text
    assert "(target 12 times: missed by 79%)" in text
    assert "24.0 ms against 20.0 ms, 1.2 times slower (missed)" in text


def test_the_table_goes_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{measure.START}\nold\n{measure.END}\nafter\n", "utf-8")
    write_between(page, "new")
    write_between(page, "newer")
    assert page.read_text("utf-8") == f"before\n{measure.START}\nnewer\n{measure.END}\nafter\n"
    page.write_text("no marks", "utf-8")
    with pytest.raises(SystemExit, match="lacks the marks"):
        write_between(page, "new")
