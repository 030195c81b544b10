"""Request bodies: read with a limit on bytes and time, kept in memory only, raw or multipart."""

from dataclasses import dataclass

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from fer_gateway.errors import BodyTooLarge, InvalidRequest, RequestTimeout

FILE_FIELD = "file"
MULTIPART = "multipart/form-data"
MAX_FIELDS = 32
MAX_NAME_CHARACTERS = 255
MULTIPART_OVERHEAD_BYTES = 64 * 1024
"""Room for the boundaries and headers around the file of a form."""


@dataclass(frozen=True, slots=True)
class FormFile:
    """One field `file` of a form."""

    name: str | None
    """The name that its sender gave it, without any path; none where there is none."""
    content: bytes


async def read_body(
    request: Request, *, max_bytes: int, timeout_s: float, setting: str = "FER_MAX_BODY_BYTES"
) -> bytes:
    """The whole body; stops reading at the first byte over the limit, or at once where the header tells.

    `setting` is what an error names to be raised.

    Raises:
        BodyTooLarge: more than `max_bytes`, or for a form, more than that and the form's own overhead.
        RequestTimeout: not complete within `timeout_s` seconds.
        ClientDisconnect: the client left.
    """
    limit = max_bytes + (MULTIPART_OVERHEAD_BYTES if is_multipart(content_type_of(request)) else 0)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large(max_bytes, setting)
    chunks, size = [], 0  # a growing `bytearray` would hold an eighth more than has come
    try:
        with anyio.fail_after(timeout_s):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large(max_bytes, setting)
                chunks.append(chunk)
    except TimeoutError as exc:
        raise RequestTimeout(f"The body did not arrive within `{timeout_s:g}` s.") from exc
    return b"".join(chunks)


def image_of(body: bytes, content_type: str) -> bytes:
    """The image file inside a body: the field `file` of a form, else the body itself, whatever its type says.

    Raises:
        InvalidRequest: a form that is malformed or has not exactly one field `file`.
    """
    if not is_multipart(content_type):
        return body
    files = files_of(body, content_type)
    if len(files) != 1:
        raise InvalidRequest(
            f"The form has `{len(files)}` fields named `{FILE_FIELD}`; send exactly one, "
            f"for example with `curl -F {FILE_FIELD}=@face.jpg`."
        )
    return files[0].content


def files_of(body: bytes, content_type: str) -> list[FormFile]:
    """The fields `file` of a form, in their order; there may be none.

    Raises:
        InvalidRequest: no form, a malformed one, or one with more than `MAX_FIELDS` fields.
    """
    if not is_multipart(content_type):
        raise InvalidRequest(f"Send a form (`{MULTIPART}`), for example `curl -F {FILE_FIELD}=@face.jpg`.")
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise InvalidRequest(
            "The `Content-Type` of the form has no `boundary`; let the HTTP client write it."
        )
    return _Form(boundary).parse(body)


def content_type_of(request: Request) -> str:
    """The `Content-Type` header, empty where there is none."""
    return request.headers.get("content-type", "")


def is_multipart(content_type: str) -> bool:
    """Whether a body of this type is a form with files."""
    return content_type.partition(";")[0].strip().lower() == MULTIPART


def too_large(max_bytes: int, setting: str) -> BodyTooLarge:
    """The error for a body over the `max_bytes` of a setting."""
    return BodyTooLarge(
        f"The body has more than `{max_bytes}` bytes. Send less at once, or raise `{setting}`."
    )


class _Form:
    """Collects the fields `file` of one form. Memory only: a picture of a face never touches a disk."""

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
        self._header_name = b""
        self._header_value = b""
        self._in_file = False
        self._fields = 0
        self._names: list[str | None] = []
        self._files: list[bytearray] = []
        self._complete = False

    def parse(self, body: bytes) -> list[FormFile]:
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
        return [
            FormFile(name, bytes(content)) for name, content in zip(self._names, self._files, strict=True)
        ]

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
            options = parse_options_header(self._header_value)[1]
            if options.get(b"name") == FILE_FIELD.encode():
                self._in_file = True
                self._names.append(_name_in(options.get(b"filename", b"")))
                self._files.append(bytearray())
        self._header_name = self._header_value = b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._files[-1] += data[start:end]

    def _on_end(self) -> None:
        self._complete = True


def _name_in(value: bytes) -> str | None:
    """The file name that a client sent, for the client to know its picture by; nothing is opened by it."""
    name = value.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
    return name[:MAX_NAME_CHARACTERS] or None
