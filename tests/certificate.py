"""A certificate for servers of tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def make_certificate(folder: Path, name: str, *options: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for 127.0.0.1, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on the PATH")
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2"),
        *("-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-out", str(cert), "-keyout", str(key), *options),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key
