"""Pictures that cannot be used: the first is an error, or they are left out and counted."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_training.data.source import Source
from fer_training.errors import DataError


@dataclass
class Broken:
    """Gathers the broken pictures of one data set; `skip` is the leave to go on without them."""

    path: Path
    skip: bool = False
    names: list[str] = field(default_factory=list)

    def add(self, name: str, fault: str) -> None:
        """One more.

        Raises:
            DataError: nobody gave leave to skip it; names the picture and its fault.
        """
        if not self.skip:
            raise DataError(f"`{name}` in `{self.path}` {fault}; mend or remove it, or give `--skip-broken`")
        self.names.append(name)

    def tell(self, pictures: int) -> None:
        """Say on stderr how many of the pictures were left out, if any."""
        if self.names:
            print(
                f"skipped {len(self.names)} broken of {pictures} pictures in `{self.path}`, "
                f"the first is `{self.names[0]}`",
                file=sys.stderr,
            )


def read_grey(source: Source, name: str, broken: Broken) -> NDArray[np.uint8] | None:
    """The picture H x W, grey; none where it is broken and `broken` lets that pass.

    Raises:
        DataError: the file is missing, or it is broken and may not be skipped.
    """
    if name not in source:
        raise DataError(
            f"`{name}` is missing in `{source.path}`; expected every picture that a row of its table names: "
            "unpack the data set again, or remove the row"
        )
    try:
        data = source.read(name)
    except DataError as error:
        if not broken.skip:
            raise
        broken.add(name, str(error))
        return None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if image is None:
        broken.add(name, "is no readable picture")
        return None
    return np.asarray(image, np.uint8)
