"""The layouts of data sets, recognised by what is inside, whatever the folder or zip file is called."""

from typing import Literal

from fer_training.data.ckplus import is_ckplus_name
from fer_training.data.class_folders import SUFFIXES, pictures_in
from fer_training.data.fer2013 import PIXELS
from fer_training.data.ferplus import FOLDERS, VOTES
from fer_training.data.source import Source
from fer_training.errors import DataError

Layout = Literal["ferplus", "fer2013", "ckplus", "folders"]

EXPECTED = f"""expected one of
  FERPlus:          `{VOTES}` beside `{"/`, `".join(FOLDERS.values())}/`
  Kaggle's FER2013: `{PIXELS}` beside `{VOTES}`
  CK+:              `CK+48/<class>/S<subject>_<sequence>_<frame>.png`
  class folders:    `<class>/<picture>`, or `train/`, `validation/` and `test/` above the class folders"""


def layout_of(source: Source) -> Layout:
    """Which layout a data set has.

    Raises:
        DataError: none that is known; says which are.
    """
    files = {name.rsplit("/", 1)[-1] for name in source.names}
    if {name.split("/", 1)[0] for name in source.names} & set(FOLDERS.values()):
        return "ferplus"
    if PIXELS in files:
        return "fer2013"
    if VOTES in files:
        raise DataError(f"`{source.path}` holds votes (`{VOTES}`), but no faces; {EXPECTED}")
    pictures = pictures_in(source)
    if not pictures:
        found = ", ".join(f"`{name}`" for name in source.names[:3]) or "nothing"
        raise DataError(
            f"`{source.path}` holds no pictures ({', '.join(sorted(SUFFIXES))}), but {found}; {EXPECTED}"
        )
    return "ckplus" if all(is_ckplus_name(name) for name in pictures) else "folders"
