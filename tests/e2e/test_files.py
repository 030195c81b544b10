"""Photos and videos from files: picked, dropped, pasted and shared; their results and what is kept."""

import base64
import csv
import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, Response, expect

from .conftest import MakeGateway
from .gateway_process import GatewayProcess

pytestmark = pytest.mark.browser

WITHIN_MS = 30_000
CLIP_FPS = 10
CLIP_FRAMES = 30
LONGEST_PX = 2000
UPRIGHT_IS_TURNED = 6
"""EXIF orientation: to be shown turned by 90 degrees clockwise."""

DROP = """([type, name, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    const kind = name.endsWith(".webm") ? "video/webm" : "image/png";
    transfer.items.add(new File([bytes], name, { type: kind }));
    const place = document.querySelector("main");
    place.dispatchEvent(type === "drop"
        ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
}"""
RECORD = """async () => {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
    const pieces = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
    recorder.start();
    for (let frame = 0; frame < 30; frame += 1) {
        context.fillStyle = `rgb(${8 * frame} 80 80)`;
        context.fillRect(0, 0, 300, 150);
        await new Promise((resolve) => setTimeout(resolve, 40));
    }
    recorder.stop();
    await stopped;
    const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""


@pytest.fixture(scope="module")
def two_faces(astronaut: Path, grace_hopper: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo larger than is sent, that lies on its side and says so; 1500 x 3000, JPEG."""
    left, right = (cv2.resize(read(path), (1500, 1500)) for path in (astronaut, grace_hopper))
    lying = np.rot90(np.hstack([left, right]))
    jpeg = cv2.imencode(".jpg", lying)[1].tobytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIII", 0x112, 3, 1, UPRIGHT_IS_TURNED, 0)
    path = tmp_path_factory.mktemp("photos") / "two.jpg"
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    return path


@pytest.fixture
def photos(grace_hopper: Path, two_faces: Path, tmp_path: Path) -> list[Path]:
    """One face, two, a file that no browser reads, and nobody in a kind that the gateway does not read."""
    broken, nobody = tmp_path / "IMG_1.heic", tmp_path / "nobody.bmp"
    broken.write_bytes(b"no picture")
    cv2.imwrite(str(nobody), np.full((240, 320, 3), 90, np.uint8))
    return [grace_hopper, two_faces, broken, nobody]


@pytest.fixture(scope="module")
def video(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of a smiling face that sways; VP8 in WebM, 10 frames a second."""
    path = tmp_path_factory.mktemp("videos") / "smile.webm"
    photo = read(astronaut)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), CLIP_FPS, (640, 480))
    assert writer.isOpened()
    for index in range(CLIP_FRAMES):
        sway = round(8 * math.sin(2 * math.pi * index / CLIP_FRAMES))
        writer.write(cv2.resize(photo[0:240, 75 + sway : 395 + sway], (640, 480)))
    writer.release()
    return path


def test_photos_in_a_gallery_in_a_table_and_in_a_spreadsheet(
    page: Page, gateway: GatewayProcess, photos: list[Path], tmp_path: Path
) -> None:
    sizes: list[tuple[int, int]] = []
    page.on("response", lambda response: sizes.extend(analysed_size(response)))
    pick(page, gateway.url, *photos)

    unreadable = "This browser cannot open IMG_1.heic. Save it as JPEG or PNG and add it again."
    expect(page.locator(".photo-words")).to_have_text(
        [NEUTRAL, "2 faces", unreadable, "No face found"], timeout=WITHIN_MS
    )
    expect(page.locator(".photo-name")).to_have_text([path.name for path in photos])
    expect(page.locator(".files-status")).to_have_text("3 of 4 photos analysed")
    assert sorted(sizes) == [(320, 240), (512, 600), (LONGEST_PX, LONGEST_PX // 2)]

    faces = httpx.post(f"{gateway.url}/api/v1/analyze", content=photos[1].read_bytes()).json()["faces"]
    tile = page.locator(".photo").nth(1)
    image, box = rectangle(tile.locator("img")), rectangle(tile.locator(".found").first)
    assert image["width"] / image["height"] == pytest.approx(2, rel=0.02)
    for side, length in (("x", "width"), ("y", "height")):
        assert (box[side] - image[side]) / image[length] == pytest.approx(faces[0]["box"][side], abs=0.03)
        assert box[length] / image[length] == pytest.approx(faces[0]["box"][length], abs=0.03)

    page.get_by_role("button", name="Table").click()
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows).to_have_count(1 + 4)
    expect(rows.nth(0)).to_have_text(like("File Face Emotion Confidence Uncertain neutral happiness"))
    expect(rows.nth(1)).to_have_text(re.compile(r"grace_hopper\.jpg\s*1\s*neutral\s*[78]\d%"))
    expect(rows.nth(4)).to_have_text(like("nobody.bmp No face found"))
    expect(page.locator(".gallery")).to_be_hidden()

    lines = list(csv.DictReader(save(page, "Save CSV", tmp_path).splitlines()))
    assert [(line["file"], line["face"]) for line in lines] == [
        ("grace_hopper.jpg", "1"), ("two.jpg", "1"), ("two.jpg", "2"), ("nobody.bmp", "")
    ]  # fmt: skip
    assert 0.7 < float(lines[0]["neutral"]) == float(lines[0]["confidence"]) < 0.9
    assert {line["emotion"] for line in lines[1:3]} == {"neutral", "happiness"}

    page.get_by_role("button", name="Table").click()
    address = page.locator(".photo img").first.get_attribute("src")
    page.get_by_role("button", name="Clear all").click()
    expect(page.locator(".photo")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose photos or videos")).to_be_focused()
    assert page.evaluate(
        """(address) => new Promise((resolve) => {
            const image = new Image();
            image.onload = () => resolve("kept");
            image.onerror = () => resolve("let go");
            image.src = address;
        })""",
        address,
    ) == "let go"  # fmt: skip


def test_a_photo_enlarges_and_each_face_can_be_chosen(
    page: Page, gateway: GatewayProcess, two_faces: Path
) -> None:
    pick(page, gateway.url, two_faces)
    page.get_by_role("button", name="Enlarge two.jpg").click(timeout=WITHIN_MS)
    dialog = page.get_by_role("dialog", name="two.jpg")
    expect(dialog.locator(".found")).to_have_count(2)
    happy = dialog.get_by_role("button", name="happiness")
    happy.click()
    expect(happy).to_have_attribute("aria-pressed", "true")
    expect(dialog.locator(".photo-face")).to_have_text(like("of 2: happiness"))
    assert int(dialog.get_by_role("meter", name="happiness").get_attribute("aria-valuenow") or 0) > 50
    dialog.get_by_role("button", name="neutral").press("Enter")
    expect(happy).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_works_by_keyboard_drop_and_paste(page: Page, gateway: GatewayProcess, astronaut: Path) -> None:
    page.on("filechooser", lambda _: None)  # from now on, and not only from the first wait for one
    open_files(page, gateway.url)
    pick_button = page.get_by_role("button", name="Choose photos or videos")
    pick_button.focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    assert chooser.value.is_multiple()
    chooser.value.set_files(astronaut)
    data = base64.b64encode(astronaut.read_bytes()).decode()
    page.evaluate(DROP, ["drop", "dropped.png", data])
    page.evaluate(DROP, ["paste", "pasted.png", data])
    expect(page.locator(".photo-words")).to_have_text(["happiness 100%"] * 3, timeout=WITHIN_MS)
    expect(page.locator(".photo-name")).to_have_text(["astronaut.png", "dropped.png", "pasted.png"])

    page.get_by_role("link", name="About").click()
    page.evaluate(DROP, ["drop", "elsewhere.png", data])
    page.get_by_role("link", name="Files").click()
    expect(page.locator(".photo")).to_have_count(3)


def test_waits_while_the_gateway_is_busy(page: Page, make_gateway: MakeGateway, astronaut: Path) -> None:
    statuses: list[int] = []
    page.on("response", lambda response: statuses.append(response.status))
    pick(page, make_gateway(environment={"FER_MAX_WAITING": "1"}).url, *[astronaut] * 6)
    expect(page.locator(".photo-words")).to_have_text(["happiness 100%"] * 6, timeout=WITHIN_MS)
    assert 503 in statuses


def test_waits_while_the_gateway_is_away(
    page: Page, make_gateway: MakeGateway, astronaut: Path, video: Path
) -> None:
    gateway = make_gateway()
    open_files(page, gateway.url)
    gateway.stop()
    page.locator("#files-input").set_input_files([astronaut, video])
    expect(page.locator(".files-status")).to_contain_text(
        "goes on by itself when it is back", timeout=WITHIN_MS
    )
    expect(page.locator(".photo-words")).to_contain_text("can't be reached")
    expect(page.locator(".video-status")).to_contain_text("can't be reached", timeout=WITHIN_MS)

    gateway.start()
    expect(page.locator(".photo-words")).to_have_text("happiness 100%", timeout=WITHIN_MS)
    expect(page.locator(".files-status")).to_have_text("1 of 1 photo analysed")
    expect(page.locator(".video-status")).to_have_text("6 frames analysed.", timeout=WITHIN_MS)


def test_says_why_a_photo_is_refused_and_tries_again(
    page: Page, make_gateway: MakeGateway, astronaut: Path
) -> None:
    pick(page, make_gateway(environment={"FER_MAX_PIXELS": "1000"}).url, astronaut)
    words = page.locator(".photo-words")
    expect(words).to_contain_text("The image has too many pixels.", timeout=WITHIN_MS)
    with page.expect_response("**/api/v1/analyze"):
        page.get_by_role("button", name="Try again").click()
    expect(words).to_contain_text("The image has too many pixels.", timeout=WITHIN_MS)


def test_a_video_becomes_a_timeline_and_a_session(
    page: Page, gateway: GatewayProcess, video: Path, tmp_path: Path
) -> None:
    open_files(page, gateway.url)
    page.get_by_label("Frames taken from a video").select_option("5 a second")
    page.locator("#files-input").set_input_files(video)
    card = page.locator(".video")
    expect(card.get_by_role("progressbar", name="Progress")).to_be_visible(timeout=WITHIN_MS)
    expect(card.locator(".video-status")).to_have_text("15 frames analysed.", timeout=WITHIN_MS)
    expect(card.get_by_text("Seen for 0:02: happiness 100%")).to_be_visible()
    expect(card.locator("select option")).to_have_count(1)
    drawn = card.locator("canvas").evaluate(
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
    )
    assert drawn

    rows = list(csv.DictReader(save(page, "Save CSV", tmp_path).splitlines()))
    assert [float(row["at_ms"]) for row in rows] == pytest.approx([200 * index for index in range(15)])
    assert {(row["face"], row["label"]) for row in rows} == {("0", "happiness")}
    saved: dict[str, Any] = json.loads(save(page, "Save JSON", tmp_path))
    assert (saved["session"]["source"], saved["session"]["durationMs"]) == ("video", 3000)
    assert len(saved["samples"]) == len(rows)
    assert set(saved["samples"][0]["faces"][0]) == {
        "id", "label", "confidence", "uncertain", "probabilities"
    }  # fmt: skip

    card.get_by_role("button", name="Keep as session").dblclick()  # it is kept once
    expect(card.locator(".video-status")).to_have_text("Kept. It is among the sessions now.")
    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_role("link", name="smile.webm")).to_have_count(1)


def test_every_frame_of_a_video_and_enough(page: Page, gateway: GatewayProcess, video: Path) -> None:
    open_files(page, gateway.url)
    page.get_by_label("Frames taken from a video").select_option("every frame")
    page.locator("#files-input").set_input_files([video, video])
    first, second = page.locator(".video").all()
    expect(second.locator(".video-status")).to_have_text("Waiting")
    expect(first.locator(".video-boxes .found")).to_be_visible(timeout=WITHIN_MS)
    expect(first.locator(".video-reading")).to_have_text(like("of 0:03, about 0:"))
    first.get_by_role("button", name="Cancel").click()
    expect(first.locator(".video-status")).to_have_text("Cancelled.", timeout=WITHIN_MS)
    expect(second.locator(".video-status")).to_have_text(f"{CLIP_FRAMES} frames analysed.", timeout=WITHIN_MS)

    page.get_by_label("Frames taken from a video").select_option("2 a second")
    first.get_by_role("button", name="Analyse again").click()
    expect(first.locator(".video-status")).to_have_text("6 frames analysed.", timeout=WITHIN_MS)


def test_a_video_outlives_a_restart_of_the_gateway(
    page: Page, make_gateway: MakeGateway, video: Path
) -> None:
    gateway = make_gateway()
    open_files(page, gateway.url)
    page.get_by_label("Frames taken from a video").select_option("every frame")
    page.locator("#files-input").set_input_files(video)
    expect(page.locator(".video-boxes .found")).to_be_visible(timeout=WITHIN_MS)
    gateway.stop()
    status = page.locator(".video-status")
    expect(status).to_have_text("The gateway can't be reached. This goes on by itself when it is back.")
    gateway.start()
    expect(status).to_have_text(f"{CLIP_FRAMES} frames analysed.", timeout=WITHIN_MS)


def test_a_recording_of_a_browser_which_does_not_say_how_long_it_is(
    page: Page, gateway: GatewayProcess
) -> None:
    open_files(page, gateway.url)
    page.evaluate(DROP, ["drop", "recording.webm", page.evaluate(RECORD)])
    expect(page.locator(".video-status")).to_have_text(like("frames analysed."), timeout=WITHIN_MS)
    expect(page.locator(".video h3")).to_have_text("recording.webm")


def test_an_unplayable_video_is_named(page: Page, gateway: GatewayProcess, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    pick(page, gateway.url, broken)
    status = page.locator(".video-status")
    expect(status).to_contain_text("cannot play broken.mp4", timeout=WITHIN_MS)
    expect(status).to_contain_text("MP4 (H.264) or WebM")
    expect(page.get_by_role("button", name="Save CSV")).to_be_hidden()


def test_takes_what_another_app_shares(
    page: Page, gateway: GatewayProcess, astronaut: Path, grace_hopper: Path
) -> None:
    page.goto(f"{gateway.url}/#files/shared")
    expect(page.locator(".files-status")).to_contain_text("did not arrive")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto("about:blank")  # as an app does: a form that no page of ours sends
    page.set_content(
        f'<form action="{gateway.url}/share" method="post" enctype="multipart/form-data">'
        '<input type="file" name="photos" multiple><button>Share</button></form>'
    )
    page.locator("input").set_input_files([grace_hopper, astronaut])
    page.get_by_role("button", name="Share").click()
    expect(page.locator(".photo-words")).to_have_text([NEUTRAL, "happiness 100%"], timeout=WITHIN_MS)
    expect(page.locator(".photo-name")).to_have_text(["grace_hopper.jpg", "astronaut.png"])
    expect(page).to_have_url(f"{gateway.url}/#files")
    assert page.evaluate("caches.has('shared')") is False


def open_files(page: Page, url: str) -> None:
    """Open the view, and wait until it answers."""
    page.goto(f"{url}/#files")
    expect(page.locator("main[inert]")).to_have_count(0)


def pick(page: Page, url: str, *files: Path) -> None:
    """Open the view and give it these files."""
    open_files(page, url)
    page.locator("#files-input").set_input_files(files)


def save(page: Page, button: str, folder: Path) -> str:
    """The text of the file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button).and_(page.locator(":visible")).click()
    download.value.save_as(folder / "saved")
    return (folder / "saved").read_text(encoding="utf-8")


NEUTRAL = re.compile(r"^neutral [78]\d%$")
"""What every shipped model so far has seen in `grace_hopper.jpg`."""


def like(text: str) -> re.Pattern[str]:
    """A text with these words one after another, with anything between the cells of a table."""
    return re.compile(r"\s*".join(re.escape(word) for word in text.split()))


def read(path: Path) -> Any:
    """The pixels of a file."""
    photo = cv2.imread(str(path))
    assert photo is not None
    return photo


def analysed_size(response: Response) -> list[tuple[int, int]]:
    """Width and height of the picture that the gateway analysed, if it did."""
    if not response.url.endswith("/api/v1/analyze"):
        return []
    image = response.json()["image"]
    return [(image["width"], image["height"])]


def rectangle(locator: Locator) -> dict[str, float]:
    """Position and size on the screen."""
    box = locator.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
