"""The certificate and key of TLS: checked before anything else begins, and read again at run time."""

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
    _context(cert, key)


class ServerCertificate:
    """What connections are served with that are made from now on."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises BadTLSFiles, as `check_tls_files` does."""
        self._files = cert, key
        self._newest = _context(cert, key)

    def reload(self) -> None:
        """Read the files again. Raises BadTLSFiles if they are not in order, and then nothing changes.

        May be called from any thread. The context with the old certificate is not touched: it would be left
        without a key if the files changed while they were read.
        """
        self._newest = _context(*self._files)

    def present(self, connection: ssl.SSLObject, _name: str | None, _first: ssl.SSLContext) -> None:
        """For `SSLContext.sni_callback`, which is asked at the beginning of each connection."""
        connection.context = self._newest


def _context(cert: Path, key: Path) -> ssl.SSLContext:
    """Raises BadTLSFiles."""
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
    return context
