"""The tree of errors: complete, described as it is, and with codes that tell one from the other."""

import inspect
import re

import pytest

from fer_gateway import errors
from fer_gateway.errors import GatewayError

CLASSES = [
    value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, GatewayError)
]


def test_codes_are_unique() -> None:
    codes = [error.code for error in CLASSES]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("error", CLASSES)
def test_each_error_states_itself(error: type[GatewayError]) -> None:
    assert {"status", "code", "title"} <= vars(error).keys()
    assert 400 <= error.status < 600
    assert error.title[0].isupper()
    assert not error.title.endswith(".")
    assert error.__doc__


@pytest.mark.parametrize("error", [error for error in CLASSES if error is not GatewayError])
def test_code_is_the_name_of_the_class(error: type[GatewayError]) -> None:
    assert error.code == re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__).lower()


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    drawn = re.findall(r"(\w+) +(\d{3}) (\w+)$", errors.__doc__ or "", re.MULTILINE)
    leaves = {error for error in CLASSES if not error.__subclasses__()} | {GatewayError}
    assert sorted(drawn) == sorted((error.__name__, str(error.status), error.code) for error in leaves)
