"""What every server of ours begins with: its keys, its socket, its log and the first line that it says."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from wending import __version__
from wending.serve.api_keys import ApiKeys, BadKeys
from wending.serve.listening_socket import base_url, bind, is_loopback
from wending.serve.log_output import logging_to_stderr
from wending.serve.operations import Operations
from wending.serve.start_up_output import StartUpOutput
from wending.serve.tls import check_tls_files

# After these times the process ends in the middle of whatever it does: when it was told to stop while it
# served, and answers had `Operations.drain_s` to complete; and when it was told a second time.
END_AFTER_DRAIN_S, END_AT_ONCE_S = 4.0, 0.5


class Opened(NamedTuple):
    """A server that can be connected to."""

    bound: socket.socket
    url: str
    output: StartUpOutput
    keys: ApiKeys


@contextmanager
def opening(host: str, port: int, operations: Operations, language: str) -> Iterator[Opened]:
    """Check keys and certificates, bind the port, and log from now on. Raises BadKeys, BadTLSFiles and
    CannotListen. Without keys, an address that others reach is warned of."""
    keys = _load_keys(operations)
    check_tls_files(operations.tls_cert, operations.tls_key)
    with (
        bind(host, port) as bound,
        StartUpOutput(language) as output,
        logging_to_stderr(operations.log_format),
    ):
        url = base_url(bound, tls=operations.tls_cert is not None)
        output.lines([f"wending {__version__} {url}"])
        if not keys and not is_loopback(bound):
            _warn_of_open_door(output)
        yield Opened(bound, url, output, keys)


def _load_keys(operations: Operations) -> ApiKeys:
    """Raises BadKeys, also for a limit that needs keys and has none."""
    keys = ApiKeys.load(operations.api_key_file, os.environ)
    if operations.max_requests_per_key is not None and not keys:
        raise BadKeys("--max-requests-per-key needs keys (--api-key-file)")
    return keys


def _warn_of_open_door(output: StartUpOutput) -> None:
    output.say(
        "Warning: there are no API keys (--api-key-file): whoever reaches this address may use the service.",
        "警告：未设置 API 密钥（--api-key-file），能访问此地址的任何人都可以使用本服务。",
    )
