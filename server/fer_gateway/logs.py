"""The log on stderr: lines for people or JSON for programs; no picture, no token, no query of an address."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from fer_gateway.settings import Settings

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
REQUESTS = "fer_gateway.requests"
"""The logger of requests; their facts come as `extra`."""
FACTS = ("method", "route", "status", "duration_ms")

SECRETS = re.compile(r"(?i)\b(bearer\s+)\S+|\bfer_[\w-]{20,}|(?<=[\w/])\?[^\s\"'`<>]+=[^\s\"'`<>]*")


def configure_logging(settings: Settings) -> None:
    """Log to stderr as `settings` say; to be called once, where a process starts."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter(TEXT_FORMAT))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    # At `info` uvicorn tells of its process and its phases, at `debug` of each byte of a stream: of pictures.
    quiet = {"debug": logging.INFO, "info": logging.WARNING}
    logging.getLogger("uvicorn").setLevel(quiet.get(settings.log_level, logging.NOTSET))
    if settings.log_format == "text":  # to people, a line for each request is noise
        logging.getLogger(REQUESTS).setLevel(
            logging.DEBUG if settings.log_level == "debug" else logging.WARNING
        )


class TextFormatter(logging.Formatter):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback where there is one."""
        return redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """`time`, `level`, `logger`, `message`; `error` with its traceback, and the facts of a request."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        entry |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        if record.exc_info:
            entry["error"] = redacted(self.formatException(record.exc_info))
        return json.dumps(entry)


def redacted(text: str) -> str:
    """The text without tokens and without the queries of addresses, wherever they got in."""
    return SECRETS.sub(lambda match: f"{match[1] or ''}(hidden)", text)
