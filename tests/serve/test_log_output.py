from __future__ import annotations

import json
import logging

import pytest

from wending.serve.log_output import logging_to_stderr

FIELDS = {"path": "/v1/models", "prompt": 'say "你好"\nagain', "status": 200}


def log_something() -> None:
    logging.getLogger("wending.requests").info("request", extra={"fields": FIELDS})
    logging.getLogger("wending.engine").info("not shown")
    try:
        raise ValueError("of no use")
    except ValueError:
        logging.getLogger("wending.engine").exception("it %s", "broke")


def test_text(capfd: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr("text"):
        log_something()
    log_something()
    request, error, *traceback = capfd.readouterr().err.splitlines()
    assert request.endswith('path=/v1/models prompt="say \\"你好\\"\\nagain" status=200')
    assert error.endswith("ERROR it broke")
    assert traceback[-1] == "ValueError: of no use"


def test_json(capfd: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr("json"):
        log_something()
    request, error = map(json.loads, capfd.readouterr().err.splitlines())
    assert request.items() >= FIELDS.items()
    assert (request["level"], request["logger"]) == ("info", "wending.requests")
    assert (error["level"], error["message"]) == ("error", "it broke")
    assert "ValueError: of no use" in error["traceback"]
