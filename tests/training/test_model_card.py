"""The model card as a page: complete, honest about gaps, and never stale."""

from pathlib import Path

import numpy as np
import pytest

from fer_gateway.contract import (
    ClassScores,
    Doubt,
    EndToEnd,
    Evaluation,
    Interval,
    ModelCard,
    Robustness,
    RobustnessPoint,
    Variant,
)
from fer_gateway.errors import ModelNotFound
from fer_gateway.inference.model import EmotionModel
from fer_gateway.models import PACKAGED_MODEL
from fer_training.cli import main
from fer_training.measure.metrics import evaluate_probabilities
from fer_training.release.model_card import render, render_card

COMMITTED = Path(__file__).parents[2] / "training" / "MODEL_CARD.md"


def interval(value: float) -> Interval:
    return Interval(value=value, low=value - 0.01, high=value + 0.01)


@pytest.fixture
def bare() -> ModelCard:
    """The packaged model's card without anything measured."""
    card = EmotionModel.load(PACKAGED_MODEL).card
    gone = {"evaluations": (), "end_to_end": None, "robustness": None, "doubt": None, "variants": ()}
    return card.model_copy(update=gone)


@pytest.fixture
def full(bare: ModelCard) -> ModelCard:
    """The same with everything that can be measured."""
    random = np.random.default_rng(0)
    votes = random.dirichlet(np.ones(8), 60).astype(np.float32)
    names = (
        "FER+ test, majority",
        "FER+ test, majority, no exact twin in training",
        "FER+ test, majority, mean with the mirror image",
        "ckdatas all, 6 shared classes",
    )
    evaluations = [
        evaluate_probabilities(
            name, bare.labels, random.dirichlet(np.ones(8), 60), votes.argmax(axis=1), votes
        )
        for name in names
    ]
    end_to_end = EndToEnd(
        data="FER+ test, majority, in pictures of 640 x 480",
        faces=1234,
        accuracy=interval(0.812),
        crop_accuracy=interval(0.834),
        loss_points=Interval(value=2.2, low=1.5, high=2.9),
        not_found=0.017,
        least_overlap=0.35,
        accuracy_of_found=0.826,
        other_boxes=0.01,
    )
    point = RobustnessPoint(disturbance="jpeg", strength=30, unit="quality", accuracy=0.777, loss_points=5.6)
    robustness = Robustness(data="FER+ test, majority", faces=600, accuracy=0.833, points=(point,))
    variant = Variant(
        precision="int8",
        bytes=3_703_458,
        validation_accuracy=0.8461,
        test_accuracy=0.8376,
        test_calibration_error=0.0114,
        agreement=0.9912,
        mean_difference=0.0022,
        greatest_difference=0.0987,
        load_ms=42,
        time_of_one=0.75,
        time_of_eight=0.61,
    )
    doubt = Doubt(uncertain_below=0.607, coverage=0.8552, error=0.1, data="FER+ validation, majority")
    return bare.model_copy(
        update={
            "evaluations": tuple(evaluations),
            "end_to_end": end_to_end,
            "robustness": robustness,
            "variants": (variant,),
            "doubt": doubt,
        }
    )


def section(page: str, title: str) -> str:
    """The text below a heading, up to the next one."""
    (_, rest) = page.split(f"# {title}\n", 1)
    return rest.split("\n#", 1)[0]


def test_the_committed_page_is_the_packaged_models() -> None:
    command = f"python -m fer_training card {PACKAGED_MODEL.name} --out training/MODEL_CARD.md"
    assert COMMITTED.read_text("utf-8") == render_card(PACKAGED_MODEL), f"stale: run `{command}`"


@pytest.mark.parametrize("title", ["Intended use", "Forbidden use", "Data and their terms", "Protocol"])
def test_a_page_says_what_the_model_is_for(title: str, bare: ModelCard) -> None:
    assert len(section(render(bare, 1), title).split()) > 30


@pytest.mark.parametrize(
    "said",
    [
        "inferring emotions there is prohibited",
        "Art. 5(1)(f)",
        "no hiring, grading",
        "Commercial use of weights trained on them is an open question",
        "80.9 %",
        "skin tone",
    ],
)
def test_what_must_be_said_is_said(said: str, full: ModelCard) -> None:
    assert said in render(full, 1)


def test_nothing_measured_is_no_number(bare: ModelCard) -> None:
    page = render(bare, 1)
    for title in (
        "Results",
        "Classes",
        "Confidence",
        "From camera picture to label",
        "Spoilt faces",
        "Precisions",
    ):
        text = section(page, title)
        assert "ot measured" in text, title
        assert "| --- |" not in text, title
    assert "Threshold of doubt: not measured" in page


@pytest.mark.parametrize("field", ["end_to_end", "robustness", "doubt", "variants", "evaluations"])
def test_one_gap_is_named_and_the_rest_stays(field: str, full: ModelCard) -> None:
    empty = () if field in ("variants", "evaluations") else None
    whole, less = render(full, 1), render(full.model_copy(update={field: empty}), 1)
    assert less.count("ot measured") > whole.count("ot measured")
    others = {"end_to_end": "81.2", "robustness": "77.7", "doubt": "0.607", "variants": "99.1"}
    for other, number in others.items():
        assert (number in less) is (other != field), other


def test_a_full_card_has_no_gap_but_what_nobody_measured(full: ModelCard) -> None:
    page = render(full, 12_930_000)
    before, _ = page.split("## Not measured", 1)
    assert "ot measured" not in before
    for number in (
        "12.93 MB",
        "81.2 (80.2 - 82.2)",
        "2.2 (1.5 - 2.9)",
        "1.7 %",
        "| jpeg | 30 quality | 77.7 | 5.6 |",
    ):
        assert number in page
    assert "| int8 | 3.70 | 84.6 | 83.8 | 0.011 | 99.1 | 0.0022, 0.099 | 42 | 0.75, 0.61 |" in page
    assert "renormalised over these" in page


def test_scores_stand_in_the_page_as_in_the_card(full: ModelCard) -> None:
    page = render(full, 1)
    for evaluation in full.evaluations:
        shown = [f"{100 * value:.1f}" for value in evaluation.accuracy.model_dump().values()]
        assert f"| {evaluation.data} | 60 | {shown[0]} ({shown[1]} - {shown[2]}) |" in page
    scores: dict[str, ClassScores] = full.evaluations[0].classes
    rows = section(page, "Classes")
    for name, one in scores.items():
        assert f"| {name} | {one.faces} | {100 * one.precision.value:.1f} (" in rows
    assert len(scores) == rows.count(" | ") // 4 - 2  # and the two rows of the head


def test_tables_are_whole(full: ModelCard) -> None:
    """Every row of a table has as many cells as its head."""
    cells = 0
    for line in render(full, 1).splitlines():
        here = line.count("|") if line.startswith("|") else 0
        assert not (cells and here) or cells == here, line
        cells = here


def test_a_gap_inside_the_table_is_a_row(full: ModelCard) -> None:
    first: Evaluation = full.evaluations[0]
    page = render(full.model_copy(update={"evaluations": (first,)}), 1)
    assert "| another data set, never seen (CK+) | not measured | | | |" in page
    assert "| faces without a twin in the training part | not measured | | | |" in page


def test_a_model_of_own_data_claims_nothing_of_ferplus(full: ModelCard) -> None:
    own = full.provenance.model_copy(update={"data": ("120 pictures of `pets`",), "licence": "ask the pets"})
    evaluation = full.evaluations[0].model_copy(update={"data": "pets test"})
    page = render(full.model_copy(update={"provenance": own, "evaluations": (evaluation,)}), 1)
    assert "120 pictures of `pets`" in section(page, "Data and their terms")
    assert "FER2013" not in page
    assert "80.9 %" not in page


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "CARD.md"
    assert main(["card", str(PACKAGED_MODEL), "--out", str(out)]) == 0
    assert out.read_text("utf-8") == render_card(PACKAGED_MODEL)
    assert main(["card", str(PACKAGED_MODEL)]) == 0
    assert capsys.readouterr().out == render_card(PACKAGED_MODEL)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"nowhere\.onnx"):
        render_card(tmp_path / "nowhere.onnx")
