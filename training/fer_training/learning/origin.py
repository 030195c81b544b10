"""What a run was trained on: kept in its folder, for `calibrate`, `export` and the card."""

from pathlib import Path

from pydantic import Field, ValidationError

from fer_gateway.contract import EMOTIONS, Frozen
from fer_training.errors import CheckpointError
from fer_training.learning.run_folder import CHECKPOINT

ORIGIN = "origin.json"


class Origin(Frozen):
    """The data and the weights that a run started from; the defaults are those of runs before this file."""

    data: str = Field(default="FER+", description="Name of the data set.")
    labels: tuple[str, ...] = Field(
        default=EMOTIONS, min_length=2, description="Its classes, in their order."
    )
    faces: int = Field(default=0, ge=0, description="Training faces.")
    weights: str | None = Field(default=None, description="File that the run started from.")
    fingerprint: str | None = Field(
        default=None, description="SHA-256 of the training pictures and labels; older runs lack it."
    )
    prepared: bool | None = Field(
        default=None, description="Whether `prepare` wrote the data set; older runs lack it."
    )
    fresh: tuple[str, ...] = Field(
        default=(), description="Parameters, and rows of the classifier by class, that did not come from it."
    )

    def check(self, folder: Path) -> None:
        """Make sure that a run in this folder, if there is one, is on the same data.

        Raises:
            CheckpointError: it is on other data.
        """
        old = read_origin(folder)
        if not (folder / CHECKPOINT).is_file():
            return
        if (old.data, old.labels) != (self.data, self.labels):
            raise CheckpointError(
                f"`{folder}` holds a run on {old.data} ({', '.join(old.labels)}), not on {self.data} "
                f"({', '.join(self.labels)}); give another `--run` folder or remove it"
            )
        if old.fingerprint not in (None, self.fingerprint):
            raise CheckpointError(
                f"`{folder}` holds a run on {old.faces:,} faces of {old.data}, and these {self.faces:,} are "
                "not the same; give another `--run` folder or remove it"
            )

    def keep(self, folder: Path) -> None:
        """Write it into a run."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ORIGIN).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_origin(folder: Path) -> Origin:
    """What the run in this folder was trained on; FER+ where an older run does not say.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = folder / ORIGIN
    if not path.is_file():
        return Origin()
    try:
        return Origin.model_validate_json(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValidationError) as error:
        raise CheckpointError(f"`{path}` cannot be read: {error}") from error


def require_labels(folder: Path, classes: tuple[str, ...], data: Path) -> Origin:
    """The origin of a run, whose labels the data set `data` must have as classes.

    Raises:
        CheckpointError: they are others.
    """
    origin = read_origin(folder)
    if origin.labels != classes:
        raise CheckpointError(
            f"the run in `{folder}` has the labels {', '.join(origin.labels)}, but `{data}` has the classes "
            f"{', '.join(classes)}; give the data it was trained on"
        )
    return origin
