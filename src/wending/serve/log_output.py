"""Where log records go, and in which form: lines of text, or one JSON object a line, on standard error."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson

from wending.serve.log_queue import LogQueue
from wending.serve.operations import LogFormat

STANDARD_ERROR = 2
_PLAIN = re.compile(r"[!#-~]+")  # needs no quotes


@contextmanager
def logging_to_stderr(form: LogFormat) -> Iterator[None]:
    """Within the context, warnings of everything, the line of each request and what was reloaded go to
    standard error. Nobody waits for them to be read, except for a moment at the end."""
    handler = LogQueue(JSONFormatter() if form == "json" else TextFormatter(), STANDARD_ERROR)
    informing = [logging.getLogger(f"wending.{name}") for name in ("requests", "reload")]
    handler.start()
    logging.root.addHandler(handler)
    for each in informing:
        each.setLevel(logging.INFO)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)
        handler.stop()
        for each in informing:
            each.setLevel(logging.NOTSET)


class TextFormatter(logging.Formatter):
    """Time, level above INFO, message; the fields of a record, if it has any, as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        fields = _fields(record)
        if fields:
            message = " ".join(f"{name}={_as_word(value)}" for name, value in fields.items())
        level = "" if record.levelno <= logging.INFO else f"{record.levelname} "
        return f"{_time(record).isoformat(' ', 'milliseconds')} {level}{message}"


class JSONFormatter(logging.Formatter):
    """Time, level, logger, message, the traceback if there is one, and the fields of a record beside them."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": _time(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(entry | _fields(record), default=str).decode()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, "fields", {})
    return fields


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created).astimezone()


def _as_word(value: Any) -> str:
    """A value as one word on one line: quoted as JSON where it would be several."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else orjson.dumps(text).decode()
