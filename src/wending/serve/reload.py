"""SIGHUP: keys and certificate are read again, and no connection or request is lost."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading

from wending.serve.api_keys import ApiKeys, BadKeys
from wending.serve.operations import Operations
from wending.serve.tls import BadTLSFiles, ServerCertificate

logger = logging.getLogger("wending.reload")


class Reload:
    """Reads what has files again. Where one of them is not in order, what was read before stays."""

    def __init__(self, operations: Operations, keys: ApiKeys, certificate: ServerCertificate | None) -> None:
        self._operations = operations
        self._keys = keys
        self._certificate = certificate
        self._lock = threading.Lock()

    def listen(self) -> None:
        """Reload with each SIGHUP, in a thread: a file may be slow. Without files SIGHUP ends the process, as
        it does by default, which is what the end of a terminal means. Call it in the event loop."""
        loop = asyncio.get_running_loop()
        if self._operations.api_key_file is not None or self._certificate is not None:
            loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, self.reload))

    def reload(self) -> None:
        """Logs what was read, and each file that cannot be used."""
        with self._lock:
            if self._operations.api_key_file is not None:
                self._reload_keys()
            if self._certificate is not None:
                self._reload_certificate(self._certificate)

    def _reload_keys(self) -> None:
        try:
            self._keys.replace(ApiKeys.load(self._operations.api_key_file, os.environ))
        except BadKeys as error:
            logger.error("the API keys stay as they were: %s", error)
        else:
            logger.info("API keys read again: %s", self._operations.api_key_file)

    def _reload_certificate(self, certificate: ServerCertificate) -> None:
        try:
            certificate.reload()
        except BadTLSFiles as error:
            logger.error("the TLS certificate stays as it was: %s", error)
        else:
            logger.info("TLS certificate read again: %s", self._operations.tls_cert)
