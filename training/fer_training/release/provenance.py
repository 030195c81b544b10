"""Where weights come from, for the cards of exported models."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fer_gateway.contract import Provenance

LICENCE = (
    "Apache-2.0; FER2013 images came from web searches: commercial use of the weights is an open question"
)

DATA = "FER+ training part (FER2013 images, crowd votes), less the pixel twins of its other parts"

PREPARED = "FER+ training part (FER2013 images, crowd votes), less exact and near twins of its other parts"
"""Of a data set that `prepare` wrote."""

OWN_LICENCE = "Apache-2.0 for the code; what may be done with the weights depends on the pictures"


def provenance(notes: str, data: Sequence[str] = (DATA,), licence: str = LICENCE) -> Provenance:
    """Weights trained today, at the commit that is checked out here."""
    return Provenance(
        git_sha=_git_sha(),
        created=datetime.now(UTC).date().isoformat(),
        data=tuple(data),
        licence=licence,
        notes=notes,
    )


def voted_provenance(*, prepared: bool, weights: str | None, teachers: int) -> Provenance:
    """Weights trained on FER+, `prepared` or with the twins that the loader itself drops."""
    start = "Started from random weights" if weights is None else f"Started from `{weights}`"
    taught = "no teacher" if not teachers else f"{teachers} teachers, trained on the same data"
    return provenance(f"{start}; no other data, {taught}.", (PREPARED if prepared else DATA,))


def own_provenance(data: str, faces: int, weights: str | None) -> Provenance:
    """Weights trained on `faces` pictures of a user's data, from those of `weights` or random ones."""
    own = f"{faces:,} pictures of `{data}`"
    if weights is None:
        return provenance("Started from random weights.", (own,), OWN_LICENCE)
    return provenance(
        f"Started from `{weights}`; the first entry of `data` is what that was trained on.",
        (f"whatever `{weights}` was trained on (the project's own weights: {PREPARED})", own),
        f"{OWN_LICENCE}; of those it started from: {LICENCE}",
    )


def _git_sha() -> str:
    """The commit that is checked out here, or `unknown` outside a checkout."""
    command = ["git", "rev-parse", "HEAD"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)  # noqa: S603
    return answer.stdout.strip() if answer.returncode == 0 else "unknown"
