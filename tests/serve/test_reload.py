from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.certificate import make_certificate

from wending.serve.api_keys import ApiKeys
from wending.serve.operations import Operations
from wending.serve.reload import Reload
from wending.serve.tls import ServerCertificate


def test_a_broken_file_holds_up_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    cert, key = make_certificate(tmp_path, "server", "-nodes")
    file = tmp_path / "keys"
    file.write_text("sk-1")
    operations = Operations(api_key_file=file, tls_cert=cert, tls_key=key)
    keys = ApiKeys.load(file, {})
    reload = Reload(operations, keys, ServerCertificate(cert, key))
    file.write_text("bob sk 2")
    reload.reload()
    file.write_text("sk-2")
    cert.unlink()
    reload.reload()
    assert caplog.messages == [
        f"the API keys stay as they were: {file}, line 1: expected KEY or NAME KEY, got 3 words",
        f"TLS certificate read again: {cert}",
        f"API keys read again: {file}",
        f"the TLS certificate stays as it was: {cert}: cannot be read: No such file or directory",
    ]
    assert [keys.name_of("sk-1"), keys.name_of("sk-2")] == [None, "key-1"]
