"""Where weights come from, for the cards of exported models."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from fer_gateway.contract import Provenance

LICENCE = (
    "Apache-2.0; FER2013 images came from web searches: commercial use of the weights is an open question"
)

DATA = "FER+ training part (FER2013 images, crowd votes), less the pixel twins of its other parts"


def provenance(notes: str, data: str = DATA) -> Provenance:
    """Weights trained today, at the commit that is checked out here."""
    return Provenance(
        git_sha=_git_sha(),
        created=datetime.now(UTC).date().isoformat(),
        data=(data,),
        licence=LICENCE,
        notes=notes,
    )


def _git_sha() -> str:
    """The commit that is checked out here, or `unknown` outside a checkout."""
    command = ["git", "rev-parse", "HEAD"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)  # noqa: S603
    return answer.stdout.strip() if answer.returncode == 0 else "unknown"
