"""Request bodies: read with a limit on bytes and time, kept in memory only, raw or multipart."""

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from fer_gateway.errors import BodyTooLarge, InvalidRequest, RequestTimeout

FILE_FIELD = "file"
MULTIPART = "multipart/form-data"
MAX_FIELDS = 32
MULTIPART_OVERHEAD_BYTES = 64 * 1024
"""Room for the boundaries and headers around the file of a form."""


async def read_body(request: Request, *, max_bytes: int, timeout_s: float) -> bytes:
    """The whole body; stops reading at the first byte over the limit, or at once where the header tells.

    Raises:
        BodyTooLarge: more than `max_bytes`, or for a form, more than that and the form's own overhead.
        RequestTimeout: not complete within `timeout_s` seconds.
        ClientDisconnect: the client left.
    """
    limit = max_bytes + (MULTIPART_OVERHEAD_BYTES if is_multipart(content_type_of(request)) else 0)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large(max_bytes)
    body = bytearray()
    try:
        with anyio.fail_after(timeout_s):
            async for chunk in request.stream():
                if len(body) + len(chunk) > limit:
                    raise too_large(max_bytes)
                body += chunk
    except TimeoutError as exc:
        raise RequestTimeout(f"The body did not arrive within `{timeout_s:g}` s.") from exc
    return bytes(body)


def image_of(body: bytes, content_type: str) -> bytes:
    """The image file inside a body: the field `file` of a form, else the body itself, whatever its type says.

    Raises:
        InvalidRequest: a form that is malformed or has not exactly one field `file`.
    """
    if not is_multipart(content_type):
        return body
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise InvalidRequest(
            "The `Content-Type` of the form has no `boundary`; let the HTTP client write it."
        )
    return _FileOfForm(boundary).parse(body)


def content_type_of(request: Request) -> str:
    """The `Content-Type` header, empty where there is none."""
    return request.headers.get("content-type", "")


def is_multipart(content_type: str) -> bool:
    """Whether a body of this type is a form with files."""
    return content_type.partition(";")[0].strip().lower() == MULTIPART


def too_large(max_bytes: int) -> BodyTooLarge:
    """The error for a body over `max_bytes`."""
    return BodyTooLarge(
        f"The body has more than `{max_bytes}` bytes. Send a smaller image, or raise `FER_MAX_BODY_BYTES`."
    )


class _FileOfForm:
    """Collects the field `file` of one form. Memory only: a picture of a face never touches a disk."""

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
        self._header_name = b""
        self._header_value = b""
        self._in_file = False
        self._fields = 0
        self._files: list[bytearray] = []
        self._complete = False

    def parse(self, body: bytes) -> bytes:
        try:
            parser = MultipartParser(
                self._boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_part_data": self._on_part_data,
                    "on_end": self._on_end,
                },
            )
            parser.write(body)
            parser.finalize()
        except FormParserError as exc:
            raise InvalidRequest(f"The form is malformed: {exc}.") from exc
        if not self._complete:
            raise InvalidRequest("The form is cut off: its last boundary is missing.")
        if len(self._files) != 1:
            raise InvalidRequest(
                f"The form has `{len(self._files)}` fields named `{FILE_FIELD}`; send exactly one, "
                f"for example with `curl -F {FILE_FIELD}=@face.jpg`."
            )
        return bytes(self._files[0])

    def _on_part_begin(self) -> None:
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise InvalidRequest(f"The form has more than `{MAX_FIELDS}` fields; send only `{FILE_FIELD}`.")
        self._in_file = False

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            name = parse_options_header(self._header_value)[1].get(b"name", b"")
            if name == FILE_FIELD.encode():
                self._in_file = True
                self._files.append(bytearray())
        self._header_name = self._header_value = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._files[-1] += data[start:end]

    def _on_end(self) -> None:
        self._complete = True
