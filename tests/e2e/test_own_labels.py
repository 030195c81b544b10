"""A model with other labels than the eight emotions: a user's own classes, in a real browser."""

from pathlib import Path

import onnx
import pytest
from playwright.sync_api import Page, expect

from fer_gateway.contract import CARD_KEY, ModelCard
from fer_gateway.models import PACKAGED_MODEL

from .conftest import MakeGateway
from .test_live import start_camera

pytestmark = pytest.mark.browser

LABELS = ("calm", "Beaming with delight", "<b>bold</b>", "Überrascht", "悲しい", "a" * 40, "fear", "7")


def relabelled(path: Path) -> Path:
    """The packaged model under other labels."""
    model = onnx.load(PACKAGED_MODEL)
    (entry,) = (entry for entry in model.metadata_props if entry.key == CARD_KEY)
    card = ModelCard.model_validate_json(entry.value)
    entry.value = card.model_copy(update={"labels": LABELS, "evaluations": ()}).model_dump_json()
    onnx.save(model, path)
    return path


def test_the_page_shows_any_labels(page: Page, make_gateway: MakeGateway, tmp_path: Path) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    gateway = make_gateway(environment={"FER_MODEL": str(relabelled(tmp_path / "own.onnx"))})
    page.set_viewport_size({"width": 390, "height": 844})
    start_camera(page, gateway.url)

    expect(page.get_by_test_id("main-label")).to_have_text("Beaming with delight")
    bars = page.get_by_test_id("bars").get_by_role("meter")
    expect(bars).to_have_count(len(LABELS))
    assert tuple(bar.get_attribute("aria-label") for bar in bars.all()) == LABELS
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} px wider than the screen"
    assert faults == []
