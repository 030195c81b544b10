"""Sessions in a real browser: recorded, kept through a reload, replayed, compared, exported, imported."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from playwright.sync_api import Browser, Page, expect

from .chromium import open_context
from .gateway_process import GatewayProcess
from .test_live import EMOTIONS, start_camera
from .test_own_labels import relabelled

pytestmark = pytest.mark.browser

WITHIN_MS = 60_000
LEAST_KEPT = 6
STEP_MS = 100
LENGTH_MS = 6000
KEPT = """async () => {
    const { storeIn } = await import("/sessions/store.js");
    const store = storeIn(() => indexedDB);
    const [session] = await store.list();
    const samples = session ? await store.samples(session.id) : [];
    const faces = samples.filter((sample) => sample.faces.length > 0).length;
    return { moments: session?.moments.length ?? 0, faces };
}"""
"""Moments of the newest session, and its samples with a face."""
FACES_AROUND = """async (atMs) => {
    const { storeIn } = await import("/sessions/store.js");
    const store = storeIn(() => indexedDB);
    const [session] = await store.list();
    const samples = await store.samples(session.id);
    const idsOf = (isIn) => samples.filter(isIn).flatMap(({ faces }) => faces.map(({ id }) => id));
    const [before, after] = [idsOf((sample) => sample.atMs <= atMs), idsOf((sample) => sample.atMs > atMs)];
    return [before, after, samples.at(-1).atMs];
}"""
"""Ids of the newest session's faces until a time, and after it; the time of its last sample."""
DELETE_ALL = """async () => {
    const { storeIn } = await import("/sessions/store.js");
    await storeIn(() => indexedDB).deleteAll();
}"""


@pytest.fixture(scope="module")
def one_page(browser: Browser) -> Iterator[Page]:
    """A page that stays open: opening one takes longer than most of these tests."""
    with open_context(browser) as context:
        yield context.new_page()


@pytest.fixture
def shelf(one_page: Page, gateway: GatewayProcess) -> Page:
    """The page that stays open, at another view and without any session."""
    one_page.goto(f"{gateway.url}/#about")
    one_page.evaluate(DELETE_ALL)
    return one_page


@pytest.fixture(scope="module")
def second_process() -> Iterator[GatewayProcess]:
    """The gateway of the tests that stop one."""
    process = GatewayProcess()
    yield process
    process.stop()


@pytest.fixture
def second_gateway(second_process: GatewayProcess) -> GatewayProcess:
    """A running gateway that a test may stop."""
    return second_process if second_process.is_running else second_process.start()


def made_session(name: str = "Imported", length_ms: int = LENGTH_MS, **change: Any) -> dict[str, Any]:
    """A file as `Export JSON` makes it: 2 s of sadness, then happiness; a second face for 1 s."""

    def face(id_: int, label: str, *, uncertain: bool = False) -> dict[str, Any]:
        probabilities = [0.8 if emotion == label else 0.2 / 7 for emotion in EMOTIONS]
        return {
            "id": id_,
            "label": label,
            "confidence": 0.8,
            "uncertain": uncertain,
            "probabilities": probabilities,
        }

    samples = []
    for at_ms in range(0, length_ms + 1, STEP_MS):
        faces = [face(0, "sadness" if at_ms < 2000 else "happiness", uncertain=at_ms < 1500)]
        if at_ms < 1000:
            faces.append(face(1, "anger"))
        samples.append({"atMs": at_ms, "faces": faces})
    session = {
        "name": name,
        "note": "A note",
        "startedAt": 1_795_348_800_000,
        "durationMs": length_ms,
        "labels": EMOTIONS,
        "model": {"name": "test", "version": "1"},
        "source": "camera",
        "moments": [{"atMs": 2000, "text": "the joke"}],
    }
    return {"format": "fer-session", "version": 1, "session": session | change, "samples": samples}


def import_session(page: Page, content: dict[str, Any] | str) -> None:
    """Choose a file with this content in the list of the sessions."""
    expect(page.locator("body > [inert]")).to_have_count(0)
    expect(page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible(timeout=WITHIN_MS)
    text = content if isinstance(content, str) else json.dumps(content)
    page.locator("#session-file").set_input_files(
        {"name": "session.json", "mimeType": "application/json", "buffer": text.encode()}
    )


def open_imported(page: Page, gateway: GatewayProcess, content: dict[str, Any] | None = None) -> None:
    """Open the page and import a session, which then is open."""
    page.goto(f"{gateway.url}/#sessions")
    import_session(page, content or made_session())
    expect(page.get_by_role("heading", name="Session", exact=True)).to_be_visible(timeout=WITHIN_MS)


def downloaded(page: Page, button: str) -> tuple[str, bytes]:
    """Name and content of the file that a button makes."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def record(page: Page, gateway: GatewayProcess, *, until_s: int) -> None:
    """Start the camera and record for at least this many seconds and faces; the recording goes on."""
    start_camera(page, gateway.url)
    page.get_by_role("button", name="Record").click()
    go_on_recording(page, until_s=until_s)


def go_on_recording(page: Page, *, until_s: int) -> None:
    """Return once this time has passed and a few samples with a face are kept."""
    later = re.compile(f"^0:(0[{until_s}-9]|[1-5][0-9])$")
    expect(page.get_by_test_id("recording-time")).to_have_text(later, timeout=WITHIN_MS)
    wait_for_kept(page, faces=LEAST_KEPT)


def wait_for_kept(page: Page, *, faces: int = 0, moments: int = 0) -> None:
    """Wait until the newest session has so many samples with a face and moments in the database."""
    deadline = time.monotonic() + WITHIN_MS / 1000
    while True:
        kept = page.evaluate(KEPT)
        if kept["faces"] >= faces and kept["moments"] >= moments:
            return
        assert time.monotonic() < deadline, f"only {kept} were kept"
        page.wait_for_timeout(100)


def test_records_numbers_only_and_replays_them(page: Page, gateway: GatewayProcess) -> None:
    record(page, gateway, until_s=2)
    page.keyboard.type("mmm")  # alone it is what speech input types, and marks nothing
    page.keyboard.press("Alt+m")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'µ', altKey: true }))")  # a Mac
    wait_for_kept(page, moments=2)
    expect(page.get_by_test_id("recording")).to_contain_text(re.compile(r"Moment marked at 0:\d\d"))
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_test_id("recording")).to_contain_text("Only numbers were kept, no pictures")

    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_role("heading", name="Session", exact=True)).to_be_visible()
    expect(page.get_by_text("This recording was interrupted")).to_be_hidden()
    expect(page.get_by_test_id("strip-answer")).not_to_be_empty()
    expect(page.get_by_label("What happened")).to_have_count(2)
    expect(page.get_by_role("row", name="happiness")).to_contain_text("%")
    assert page.get_by_role("slider").evaluate("slider => Number(slider.max)") >= 2000

    kept = page.evaluate(
        """async () => {
            const database = await new Promise((resolve, reject) => {
                const request = indexedDB.open("fer-sessions");
                request.onsuccess = () => resolve(request.result);
                request.onerror = reject;
            });
            const read = name => new Promise((resolve) => {
                database.transaction(name).objectStore(name).getAll().onsuccess = event =>
                    resolve(event.target.result);
            });
            return [await read("sessions"), await read("samples"), await read("film")];
        }"""
    )
    sessions, pieces, film = kept
    assert film == []
    assert [session["open"] for session in sessions] == [False]
    samples = [sample for piece in pieces for sample in piece["added"]]
    assert len(samples) > 5
    assert {key for sample in samples for face in sample["faces"] for key in face} == {
        "id", "label", "confidence", "uncertain", "probabilities",
    }  # fmt: skip


CLIPS = """async () => {
    const { storeIn } = await import("/sessions/store.js");
    const store = storeIn(() => indexedDB);
    const [session] = await store.list();
    return (await store.clips(session?.id ?? 0)).map(({ atMs, film }) => [atMs, film.size]);
}"""
"""When the films of the newest session begin, and their bytes."""
BRIGHTNESS = """video => {
    const context = document.createElement("canvas").getContext("2d");
    context.drawImage(video, 0, 0, 32, 32);
    const isColour = (_, index) => index % 4 < 3;
    return context.getImageData(0, 0, 32, 32).data.filter(isColour).reduce((sum, value) => sum + value, 0);
}"""


def test_a_clip_is_kept_where_it_was_switched_on_and_goes_with_its_session(
    page: Page, gateway: GatewayProcess
) -> None:
    start_camera(page, gateway.url)
    switch = page.get_by_label("Keep the picture, too")
    expect(switch).not_to_be_checked()
    switch.check()
    page.get_by_role("button", name="Record").click()
    expect(switch).to_be_disabled()
    go_on_recording(page, until_s=2)
    page.get_by_role("button", name="Pause").click()  # nothing is analysed, nothing is filmed
    page.get_by_role("button", name="Resume").click()
    go_on_recording(page, until_s=5)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_test_id("recording")).to_contain_text("Its clip, too, stays on this device.")
    clips = page.evaluate(CLIPS)
    assert len(clips) == 2
    assert clips[0][0] < 1500
    assert clips[1][0] > 2000
    assert all(size > 1000 for _, size in clips)

    page.get_by_role("link", name="Look at it").click()
    film = page.get_by_label("Clip of the recording")
    expect(film).to_be_visible()
    slider = page.get_by_role("slider")
    for at_s in (1, 4):
        slider.evaluate(
            "(slider, ms) => { slider.value = ms; slider.dispatchEvent(new Event('input')); }", at_s * 1000
        )
        begins_s = max(begin for begin, _ in clips if begin <= at_s * 1000) / 1000
        page.wait_for_function(
            "seconds => Math.abs(document.querySelector('.film').currentTime - seconds) < 0.05",
            arg=at_s - begins_s,
            timeout=WITHIN_MS,
        )
        page.wait_for_function(
            f"() => ({BRIGHTNESS})(document.querySelector('.film')) > 0", timeout=WITHIN_MS
        )
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => !document.querySelector('.film').paused", timeout=WITHIN_MS)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=WITHIN_MS)
    page.wait_for_function("() => document.querySelector('.film').paused", timeout=WITHIN_MS)

    with page.expect_download(lambda file: file.suggested_filename.endswith("-2.webm")) as download:
        page.get_by_role("button", name="Save clip").click()
    assert Path(download.value.path()).stat().st_size == clips[1][1]
    _, exported = downloaded(page, "Export JSON")
    assert set(json.loads(exported)) == {"format", "version", "session", "samples"}

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("link", name="About").click()  # now it cannot be undone
    page.wait_for_function(f"() => ({CLIPS})().then(clips => clips.length === 0)", timeout=WITHIN_MS)
    left = page.evaluate(
        """() => new Promise((resolve) => {
            indexedDB.open("fer-sessions").onsuccess = ({ target }) =>
                target.result.transaction("film").objectStore("film").count().onsuccess =
                    (event) => resolve(event.target.result);
        })"""
    )
    assert left == 0


def test_sessions_of_an_earlier_page_are_still_there(page: Page, gateway: GatewayProcess) -> None:
    """The first version kept no films: its database is taken over as it is."""
    page.goto(f"{gateway.url}/docs")  # the page itself would make a new one
    page.evaluate(
        """(session) => new Promise((resolve, reject) => {
            const request = indexedDB.open("fer-sessions", 1);
            request.onerror = reject;
            request.onupgradeneeded = ({ target: { result } }) => {
                result.createObjectStore("sessions", { keyPath: "id", autoIncrement: true }).add(session);
                result.createObjectStore("samples", { autoIncrement: true })
                    .createIndex("session", "session");
            };
            request.onsuccess = () => resolve(request.result.close());
        })""",
        made_session("An old one")["session"]
        | {"tally": {"people": 1, "counts": [0] * 8, "nextId": 1}, "open": False, "trashed": False},
    )
    page.goto(f"{gateway.url}/#sessions")
    page.get_by_role("link", name="An old one").click()
    expect(page.get_by_label("Name")).to_have_value("An old one", timeout=WITHIN_MS)
    expect(page.get_by_label("Clip of the recording")).to_be_hidden()


def test_survives_a_reload_in_mid_recording_and_goes_on(page: Page, gateway: GatewayProcess) -> None:
    record(page, gateway, until_s=3)
    page.reload()
    expect(page.get_by_test_id("recording")).to_contain_text(
        re.compile(r"was interrupted after 0:(0[2-9]|[1-5]\d)"), timeout=WITHIN_MS
    )
    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_text("This recording was interrupted")).to_be_visible()
    before_ms = page.get_by_role("slider").evaluate("slider => Number(slider.max)")
    assert before_ms >= 2000  # at most a second is lost

    faces_before = page.evaluate(KEPT)["faces"]
    page.get_by_role("button", name="Continue recording").click()
    expect(page.get_by_test_id("recording")).to_contain_text("Start the camera")
    page.get_by_role("button", name="Start camera").click()
    expect(page.get_by_role("button", name="Stop recording")).to_be_visible(timeout=WITHIN_MS)
    page.wait_for_function(
        "ms => Number(document.querySelector('.recording-time').textContent.split(':')[1]) > ms / 1000 + 4",
        arg=before_ms,
        timeout=WITHIN_MS,
    )
    wait_for_kept(page, faces=faces_before + 1)
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_label("What happened")).to_have_value("Continued")
    assert page.get_by_role("slider").evaluate("slider => Number(slider.max)") > before_ms + 3000
    before, after, _ = page.evaluate(FACES_AROUND, before_ms)
    assert set(before).isdisjoint(
        after
    )  # the gateway counted anew; nobody can say that it is the same person
    faces = page.get_by_role("combobox", name="Face").locator("option")
    expect(faces).to_have_count(len({*before, *after}))


def test_a_crash_leaves_the_recording_in_the_list(page: Page, gateway: GatewayProcess) -> None:
    record(page, gateway, until_s=2)
    other = page.context.new_page()
    other.goto(f"{gateway.url}/#sessions")
    row = other.get_by_role("listitem").filter(has_text="Recording of")
    expect(row).to_be_visible()
    expect(row.get_by_text("interrupted")).to_be_hidden()  # it is being recorded in the first tab
    page.close(run_before_unload=False)
    other.reload()
    expect(row.get_by_text("interrupted")).to_be_visible()
    expect(row).to_contain_text("1 person")
    expect(row).to_contain_text("happiness")

    row.get_by_role("link").click()
    other.get_by_role("button", name="Leave it as it is").click()
    expect(other.get_by_text("This recording was interrupted")).to_be_hidden()


def test_goes_on_through_a_restart_of_the_gateway(page: Page, second_gateway: GatewayProcess) -> None:
    record(page, second_gateway, until_s=1)
    second_gateway.stop()
    expect(page.get_by_test_id("gateway")).to_contain_text("Reconnecting", timeout=WITHIN_MS)
    expect(page.get_by_role("button", name="Stop recording")).to_be_visible()
    page.wait_for_timeout(1500)  # what came before the stop is kept within a second
    faces_before, (_, _, stopped_ms) = page.evaluate(KEPT)["faces"], page.evaluate(FACES_AROUND, 0)
    second_gateway.start()
    expect(page.locator(".face").first).to_be_visible(timeout=WITHIN_MS)
    wait_for_kept(page, faces=faces_before + 1)
    page.get_by_role("button", name="Stop camera").click()
    expect(page.get_by_test_id("recording")).to_contain_text("Recorded:")
    page.get_by_role("link", name="Look at it").click()
    before, after, _ = page.evaluate(FACES_AROUND, stopped_ms)
    assert set(before).isdisjoint(after)
    faces = page.get_by_role("combobox", name="Face").locator("option")
    expect(faces).to_have_count(len({*before, *after}))


def test_a_model_with_other_emotions_ends_the_recording(
    page: Page, second_gateway: GatewayProcess, tmp_path: Path
) -> None:
    other = GatewayProcess(environment={"FER_MODEL": str(relabelled(tmp_path / "own.onnx"))})
    record(page, second_gateway, until_s=1)
    second_gateway.stop()
    other.port = second_gateway.port
    try:
        other.start()
        said = page.get_by_test_id("recording")
        expect(said).to_contain_text("a model with other emotions", timeout=WITHIN_MS)
        expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()
        page.get_by_role("button", name="Record").click()
        go_on_recording(page, until_s=1)
        page.get_by_role("button", name="Stop recording").click()
        page.get_by_role("link", name="Look at it").click()
        expect(page.get_by_role("row", name="Beaming with delight")).to_contain_text(re.compile(r"0:\d\d"))
        expect(page.get_by_role("row", name="Balance")).to_contain_text("–")
    finally:
        other.stop()


FULL = "The storage of this device is full"


def test_full_storage_says_what_to_do(page: Page, gateway: GatewayProcess) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": gateway.url, "quotaSize": 1})
    start_camera(page, gateway.url)
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_test_id("recording")).to_contain_text(FULL)
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()


def test_storage_that_fills_up_ends_the_recording_and_keeps_it(page: Page, gateway: GatewayProcess) -> None:
    record(page, gateway, until_s=2)
    # What a browser throws then; its own count of the space left is refreshed too seldom for a test.
    page.evaluate(
        """() => {
            IDBObjectStore.prototype.add = () => { throw new DOMException("full", "QuotaExceededError"); };
        }"""
    )
    expect(page.get_by_test_id("recording")).to_contain_text(FULL, timeout=WITHIN_MS)
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()
    page.get_by_role("link", name="Sessions").click()
    row = page.locator(".session")
    expect(row).to_contain_text("happiness")
    expect(row.get_by_text("interrupted")).to_be_visible()


def test_refused_storage_says_what_to_do(page: Page, gateway: GatewayProcess) -> None:
    page.add_init_script(
        """Object.defineProperty(window, "indexedDB", {
            get() { throw new DOMException("no", "SecurityError"); },
        });"""
    )
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    start_camera(page, gateway.url)
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_test_id("recording")).to_contain_text("This browser keeps nothing for this page")
    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_test_id("sessions-words")).to_contain_text("Leave private browsing")
    assert faults == []


def test_a_tab_of_another_version_is_named(page: Page, gateway: GatewayProcess) -> None:
    page.goto(f"{gateway.url}/#sessions")
    expect(page.get_by_text("Nothing is recorded yet")).to_be_visible()
    page.evaluate(
        """() => new Promise((resolve, reject) => {
            const request = indexedDB.open("fer-sessions", 99);
            request.onsuccess = resolve;
            request.onerror = reject;
        })"""
    )
    page.reload()
    expect(page.get_by_test_id("sessions-words")).to_contain_text("Close all other tabs")


def test_replays_at_real_pace(shelf: Page, gateway: GatewayProcess) -> None:
    length_ms = 20_000  # long enough that no slow machine reaches the end before it is paused
    open_imported(shelf, gateway, made_session(length_ms=length_ms))
    slider = shelf.get_by_role("slider")
    expect(shelf.get_by_test_id("strip-answer")).to_have_text("sadness?")
    slider.press("ArrowRight")
    shelf.get_by_role("button", name="Play").click()
    expect(shelf.get_by_test_id("strip-answer")).to_have_text("happiness")
    shelf.get_by_role("button", name="Pause").click()
    paused = shelf.get_by_test_id("replay-time").inner_text()
    assert re.fullmatch(r"0:(0[2-9]|1\d) / 0:20", paused)

    started, ended = shelf.evaluate(
        """() => new Promise(resolve => {
            const slider = document.querySelector(".strip input");
            const begin = [performance.now(), Number(slider.value)];
            document.querySelector("#play-button").click();
            const end = () => resolve([begin, [performance.now(), Number(slider.value)]]);
            setTimeout(() => requestAnimationFrame(end), 2000);
        })"""
    )
    assert ended[1] - started[1] == pytest.approx(ended[0] - started[0], abs=250)
    slider.press("ArrowRight")
    expect(shelf.get_by_role("button", name="Play")).to_be_visible(timeout=WITHIN_MS)  # it stops at the end
    assert slider.evaluate("slider => slider.value") == f"{length_ms}"


def test_seeks_by_keyboard_and_by_touch(shelf: Page, gateway: GatewayProcess) -> None:
    open_imported(shelf, gateway)
    slider = shelf.get_by_role("slider")
    slider.focus()
    for key, expected in [
        ("ArrowRight", "0:01"),
        ("ArrowRight", "0:02"),
        ("ArrowLeft", "0:01"),
        ("End", "0:06"),
        ("Home", "0:00"),
        ("PageDown", "0:00"),
        ("PageUp", "0:06"),
    ]:
        shelf.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", re.compile(f"^{expected}, (sadness|happiness)"))
    shelf.keyboard.press("Home")
    shelf.keyboard.press("Space")
    expect(shelf.get_by_role("button", name="Pause")).to_be_visible()
    shelf.keyboard.press("Space")
    expect(shelf.get_by_role("button", name="Play")).to_be_visible()

    box = slider.bounding_box()
    assert box is not None
    shelf.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^0:0[23], happiness$"))
    expect(shelf.get_by_test_id("strip-answer")).to_have_text("happiness")


def test_sums_up_each_face(shelf: Page, gateway: GatewayProcess) -> None:
    open_imported(shelf, gateway)

    def rows() -> dict[str, str]:
        lines = shelf.get_by_test_id("summary").locator("tr:has(th)").all()
        return {line.locator("th").inner_text().lower(): line.locator("td").inner_text() for line in lines}

    first = rows()
    assert first["sadness"] == "0:02 (33%)"
    assert first["happiness"] == "0:04 (67%)"
    assert first["changes"] == "1"
    assert first["mean confidence"] == "80%"
    assert first["uncertain time"] == "25%"
    assert float(first["balance (derived)"]) == pytest.approx((4 - 2) / 6 * 0.8, abs=0.15)
    expect(shelf.get_by_text("worked out, not measured")).to_be_visible()

    shelf.get_by_role("combobox", name="Face").select_option("Face 2")
    assert rows()["anger"] == "0:01 (100%)"
    expect(shelf.get_by_test_id("strip-answer")).to_have_text("anger")


def test_names_notes_and_moments_are_kept(shelf: Page, gateway: GatewayProcess) -> None:
    open_imported(shelf, gateway)
    shelf.get_by_label("Name").fill("First try")
    shelf.get_by_label("Note").fill("in the garden")
    shelf.get_by_label("What happened").first.fill("a cat")
    shelf.get_by_role("slider").focus()
    shelf.keyboard.press("End")
    shelf.keyboard.press("m")
    expect(shelf.get_by_role("button", name="0:06", exact=True)).to_be_visible()
    wait_for_kept(shelf, moments=2)
    shelf.reload()

    expect(shelf.get_by_label("Name")).to_have_value("First try", timeout=WITHIN_MS)
    expect(shelf.get_by_label("Note")).to_have_value("in the garden")
    expect(shelf.get_by_label("What happened").first).to_have_value("a cat")
    shelf.get_by_role("button", name="0:06", exact=True).click()
    expect(shelf.get_by_role("slider")).to_have_attribute("aria-valuetext", "0:06, happiness")
    shelf.get_by_role("button", name="Delete this moment").last.click()
    expect(shelf.get_by_role("button", name="0:06", exact=True)).to_have_count(0)
    shelf.get_by_role("link", name="All sessions").click()
    expect(shelf.get_by_role("listitem").filter(has_text="First try")).to_contain_text("0:06")


def test_files_go_out_and_come_back(shelf: Page, gateway: GatewayProcess) -> None:
    made = made_session(name="=danger, 1")
    open_imported(shelf, gateway, made)

    name, content = downloaded(shelf, "Export CSV")
    assert name.endswith(".csv")
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert len(rows) == sum(len(sample["faces"]) for sample in made["samples"])
    assert list(rows[0]) == ["session", "at_ms", "face", "label", "confidence", "uncertain", *EMOTIONS]
    assert rows[0]["session"] == "'=danger, 1"
    assert (rows[-1]["at_ms"], rows[-1]["label"]) == ("6000", "happiness")
    assert float(rows[-1]["happiness"]) == made["samples"][-1]["faces"][0]["probabilities"][1]

    _, exported = downloaded(shelf, "Export JSON")
    assert json.loads(exported) == made | {"session": made["session"] | {"source": "import"}}
    shelf.get_by_role("link", name="All sessions").click()
    import_session(shelf, exported.decode())
    expect(shelf.get_by_role("heading", name="Session", exact=True)).to_be_visible()
    assert json.loads(downloaded(shelf, "Export JSON")[1]) == json.loads(exported)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_is_a_picture(shelf: Page, gateway: GatewayProcess, theme: Any, tmp_path: Path) -> None:
    shelf.emulate_media(color_scheme=theme)
    open_imported(shelf, gateway)
    name, content = downloaded(shelf, "Save chart")
    assert name == "Imported.png"
    path = tmp_path / name
    path.write_bytes(content)
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape[1] >= 1200
    assert picture[..., 3].min() == 255  # opaque
    ground = picture[2, 2, :3].mean()
    assert (ground > 200) if theme == "light" else (ground < 60)
    colours = {tuple(pixel) for pixel in picture[::8, ::8, :3].reshape(-1, 3).tolist()}
    assert len(colours) > 10


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "it is no JSON"),
        (json.dumps({"format": "other"}), "“format” is missing or wrong"),
        (json.dumps(made_session(durationMs=-1)), "“session.durationMs” is missing or wrong"),
        (json.dumps(made_session() | {"version": 2}), "a newer version"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(
    shelf: Page, gateway: GatewayProcess, content: str, message: str
) -> None:
    shelf.goto(f"{gateway.url}/#sessions")
    import_session(shelf, content)
    expect(shelf.get_by_test_id("sessions-words")).to_contain_text(message)
    expect(shelf.locator(".session")).to_have_count(0)


def test_two_sessions_on_one_scale(shelf: Page, gateway: GatewayProcess) -> None:
    open_imported(shelf, gateway, made_session("Long", 8000))
    shelf.get_by_role("link", name="All sessions").click()
    import_session(shelf, made_session("Short", 3000))
    shelf.get_by_label("Compare with").select_option("Long")
    expect(shelf.get_by_role("heading", name="Two sessions")).to_be_visible()
    sliders = shelf.get_by_role("slider")
    expect(sliders).to_have_count(2)
    assert sliders.evaluate_all("sliders => sliders.map(slider => slider.max)") == ["8000", "8000"]
    row = shelf.get_by_role("row", name=re.compile("happiness", re.IGNORECASE))
    expect(row.get_by_role("cell")).to_have_text(["0:01 (33%)", "0:06 (75%)"])
    sliders.first.focus()
    shelf.keyboard.press("End")
    assert sliders.evaluate_all("sliders => sliders.map(slider => slider.value)") == ["8000", "8000"]
    expect(shelf.get_by_label("Name")).to_be_hidden()


def test_deleting_one_can_be_undone_and_all_is_asked_once(shelf: Page, gateway: GatewayProcess) -> None:
    for name in ("One", "Two", "Three"):
        open_imported(shelf, gateway, made_session(name))
    shelf.get_by_role("link", name="All sessions").click()
    rows = shelf.locator(".session")
    expect(rows).to_have_count(3)

    shelf.get_by_role("button", name="Delete Two").click()
    expect(rows).to_have_count(2)
    shelf.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(3)

    shelf.get_by_role("button", name="Delete Two").click()
    expect(rows).to_have_count(2)
    shelf.reload()
    expect(rows).to_have_count(2)

    shelf.get_by_role("button", name="Delete all").click()
    shelf.get_by_role("button", name="Keep them").click()
    expect(rows).to_have_count(2)
    shelf.get_by_role("button", name="Delete all").click()
    shelf.get_by_role("dialog").get_by_role("button", name="Delete all").click()
    expect(rows).to_have_count(0)
    shelf.reload()
    expect(shelf.get_by_text("Nothing is recorded yet")).to_be_visible()


def test_works_without_the_gateway(page: Page, second_gateway: GatewayProcess) -> None:
    open_imported(page, second_gateway)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    second_gateway.stop()
    page.reload()
    expect(page.get_by_test_id("strip-answer")).to_have_text("sadness?", timeout=WITHIN_MS)
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_test_id("strip-answer")).to_have_text("happiness", timeout=WITHIN_MS)
    assert downloaded(page, "Export CSV")[1].startswith(b"session,at_ms")


def test_a_session_that_is_gone_says_so(shelf: Page, gateway: GatewayProcess) -> None:
    shelf.goto(f"{gateway.url}/#sessions/12345")
    expect(shelf.get_by_test_id("sessions-words")).to_contain_text("This session is no longer here")


@pytest.mark.parametrize("width_px", [320, 1280])
def test_fits_the_screen(shelf: Page, gateway: GatewayProcess, width_px: int) -> None:
    shelf.set_viewport_size({"width": width_px, "height": 740})
    open_imported(
        shelf, gateway, made_session("A name of more than usual length, with NoPlaceToBreakItAnywhere" * 2)
    )
    assert shelf.evaluate("document.documentElement.scrollWidth") <= width_px
    shelf.get_by_role("link", name="All sessions").click()
    expect(shelf.locator(".session")).to_have_count(1)
    assert shelf.evaluate("document.documentElement.scrollWidth") <= width_px
