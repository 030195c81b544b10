"""The picture inside a request body."""

import pytest

from fer_gateway.api.body import image_of, is_multipart
from fer_gateway.errors import InvalidRequest

TYPE = "multipart/form-data; boundary=xx"
FORM = (
    b'--xx\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    b'--xx\r\ncontent-disposition: form-data; name="file"; filename="a b;.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n--x\r\n\x00\r\n--xx--\r\n"
)


def test_a_form() -> None:
    assert image_of(FORM, TYPE) == b"\xff\xd8\r\n--x\r\n\x00"


def test_a_raw_body() -> None:
    assert image_of(b"\xff\xd8", "image/jpeg") == b"\xff\xd8"
    assert image_of(FORM, "") == FORM


@pytest.mark.parametrize("kept", range(0, len(FORM) - 4, 7))
def test_a_form_that_is_cut_off(kept: int) -> None:
    with pytest.raises(InvalidRequest):
        image_of(FORM[:kept], TYPE)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (FORM, "multipart/form-data"),
        (FORM, "multipart/form-data; boundary="),
        (FORM, "multipart/form-data; boundary=yy"),
        (b"not a form", TYPE),
        (b"--xx\r\nbad header\r\n\r\n--xx--\r\n", TYPE),
        (b'--xx\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--xx--\r\n', TYPE),
        (FORM.replace(b"note", b"file"), TYPE),
        (b'--xx\r\nContent-Disposition: form-data; name="n"\r\n\r\n\r\n' * 40 + FORM, TYPE),
        (b"--xx\r\n\r\nno headers\r\n--xx--\r\n", TYPE),
        (FORM, "multipart/form-data; boundary=" + "y" * 5000),
    ],
)
def test_wrong_forms(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidRequest):
        image_of(body, content_type)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [(TYPE, True), ("Multipart/Form-Data", True), ("multipart/mixed; boundary=x", False), ("", False)],
)
def test_is_multipart(content_type: str, expected: bool) -> None:
    assert is_multipart(content_type) is expected
