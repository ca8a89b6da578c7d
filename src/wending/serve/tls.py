"""Checks the files of TLS before anything else begins, so that one line says what is wrong with them."""

from __future__ import annotations

import ssl
from pathlib import Path


class BadTLSFiles(Exception):  # noqa: N818
    """The certificate or its key cannot be used. The message names the files and says why."""


def check_tls_files(cert: Path | None, key: Path | None) -> None:
    """`cert`: PEM, the server's certificate and then those between it and the root. `key`: its private key,
    without a password. None for both is no TLS. Raises BadTLSFiles."""
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise BadTLSFiles("TLS needs both a certificate (--tls-cert) and its key (--tls-key)")
    for path in (cert, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise BadTLSFiles(f"{path}: cannot be read: {error.strerror}") from error

    def refuse_to_ask() -> str:
        raise BadTLSFiles(f"{key}: is protected by a password; a server needs a key that is not")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, refuse_to_ask)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise BadTLSFiles(f"{key}: is not the key of the certificate {cert}") from error
        raise BadTLSFiles(f"{cert} and {key}: are not a PEM certificate and its key ({error})") from error
