"""The model card as a page for people, from the card inside the ONNX file."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fer_gateway.contract import Evaluation, Interval, ModelCard
from fer_gateway.inference.model import EmotionModel
from fer_training.release import parity

_TEMPLATE = "model_card.md.j2"


def render_card(path: Path) -> str:
    """The page of a model, in Markdown.

    Raises:
        GatewayError: see `EmotionModel.load`.
    """
    return render(EmotionModel.load(path).card, path.stat().st_size)


def render(card: ModelCard, size_bytes: int) -> str:
    """The page of a card whose file has `size_bytes`."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701, the page is Markdown
    )
    environment.filters |= {"percent": _percent, "interval": _interval, "plain": _plain}
    is_ferplus = len(card.provenance.data) == 1 and card.provenance.data[0].startswith("FER+")
    main = card.evaluations[0] if card.evaluations else None
    text = environment.get_template(_TEMPLATE).render(
        card=card,
        size_bytes=size_bytes,
        main=main,
        others=[one for one in card.evaluations if main and _set(one) != _set(main)],
        absent=_absent(card) if is_ferplus else [],
        is_ferplus=is_ferplus,
        gates={
            "lost_points": parity.LOST_POINTS,
            "agreement": parity.AGREEMENT,
            "mean": parity.MEAN_DIFFERENCE,
            "greatest": parity.GREATEST_DIFFERENCE,
        },
    )
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def _absent(card: ModelCard) -> list[str]:
    """The rows one would look for among the evaluations and does not find."""
    names = [one.data for one in card.evaluations]
    sets = {_set(one) for one in card.evaluations}
    wanted = {
        "faces without a twin in the training part": any("twin in training" in name for name in names),
        "mean with the mirror image": any("mirror image" in name for name in names),
        "another data set, never seen (CK+)": len(sets) > 1,
    }
    return [name for name, found in wanted.items() if not found]


def _set(evaluation: Evaluation) -> str:
    return evaluation.data.split(maxsplit=1)[0]


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}"


def _interval(interval: Interval) -> str:
    """Shares as percentages: `83.8 (82.4 - 85.0)`."""
    return f"{_percent(interval.value)} ({_percent(interval.low)} - {_percent(interval.high)})"


def _plain(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f} - {interval.high:.3f})"
