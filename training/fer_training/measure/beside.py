"""What `evaluate` says beside the scores: shared classes, faces and people known from training."""

from pydantic import Field

from fer_gateway.contract import EndToEnd, Evaluation, Fraction, Frozen, Interval
from fer_training.measure.known_faces import KnownFaces
from fer_training.measure.report import print_end_to_end


class ShortScores(Frozen):
    """The scores of the same faces under another condition."""

    accuracy: Interval
    macro_f1: Interval
    ece: float
    whole: Evaluation = Field(exclude=True, description="All scores, for the card.")

    @classmethod
    def of(cls, evaluation: Evaluation) -> "ShortScores":
        """The three of an evaluation."""
        return cls(
            accuracy=evaluation.accuracy,
            macro_f1=evaluation.macro_f1,
            ece=evaluation.expected_calibration_error,
            whole=evaluation,
        )


class SharedClasses(Frozen):
    """Which classes were scored where the model and the data do not have the same."""

    shared: tuple[str, ...]
    only_in_data: tuple[str, ...]
    only_in_model: tuple[str, ...]


class KnownPeople(Frozen):
    """Shares of the scored faces that are known from the training part, by their file names."""

    sequence: Fraction
    subject: Fraction
    leaky: bool


class Beside(Frozen):
    """None where a value cannot be said, or was not asked for."""

    split: str
    skipped: int
    may_be_known: bool = Field(default=False, description="Whether the model may have learnt these faces.")
    shared_classes: SharedClasses | None = None
    unrestricted: ShortScores | None = None
    flip: ShortScores | None = None
    twins: KnownFaces | None = None
    overlap: KnownPeople | None = None
    end_to_end: EndToEnd | None = None

    @property
    def for_the_card(self) -> list[Evaluation]:
        """Evaluations that stand in a card beside the main one."""
        scores = [] if self.flip is None else [self.flip.whole]
        if self.twins is not None and self.twins.whole is not None and self.twins.with_twin:
            scores.append(self.twins.whole)
        return scores

    def print(self) -> None:
        """Lines for people."""
        if self.split == "all":
            print("  scored: every face of the data, in whatever part")
        if self.skipped:
            print(f"  broken pictures left out     {self.skipped}")
        if self.may_be_known:
            print("  **NO TEST**: the model may have been trained on these faces")
        if self.shared_classes is not None:
            self._print_classes(self.shared_classes)
        if self.unrestricted is not None:
            _print_scores("over all labels of the model", self.unrestricted)
        if self.flip is not None:
            _print_scores("mean with the mirror image", self.flip)
        if self.twins is not None:
            _print_twins(self.twins)
        if self.overlap is not None:
            mark = "LEAKY" if self.overlap.leaky else "clean"
            print(
                f"  {mark}: of {self.overlap.sequence:.1%} of the faces the same sequence is in training, "
                f"of {self.overlap.subject:.1%} the same person"
            )
        if self.end_to_end is not None:
            print_end_to_end(self.end_to_end)

    def _print_classes(self, classes: SharedClasses) -> None:
        print(f"  scored on the shared classes: {', '.join(classes.shared)}; renormalised over these")
        if classes.only_in_data:
            print(f"  left out, no label of the model: {', '.join(classes.only_in_data)}")
        if classes.only_in_model:
            print(f"  labels without faces in the data: {', '.join(classes.only_in_model)}")


def _print_scores(title: str, scores: ShortScores) -> None:
    accuracy = scores.accuracy
    print(
        f"  {title + ':':<30}accuracy {accuracy.value:.4f} (95 % {accuracy.low:.4f} .. {accuracy.high:.4f}), "
        f"macro F1 {scores.macro_f1.value:.4f}, calibration error {scores.ece:.4f}"
    )


def _print_twins(known: KnownFaces) -> None:
    title = f"{known.twins} twins in training:"
    print(f"  {title:<30}{known.with_twin:,} faces, of {known.training_faces:,} there")
    if known.accuracy is not None and known.macro_f1 is not None and known.with_twin:
        accuracy = known.accuracy
        print(
            f"  {f'the {known.without_twin:,} without:':<30}accuracy {accuracy.value:.4f} (95 % "
            f"{accuracy.low:.4f} .. {accuracy.high:.4f}), macro F1 {known.macro_f1.value:.4f}"
        )
