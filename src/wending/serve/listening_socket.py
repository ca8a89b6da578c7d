"""Binds the port that the service listens on."""

from __future__ import annotations

import errno
import ipaddress
import socket

SILENCE_S = 60


class CannotListen(Exception):  # noqa: N818
    """The address cannot be listened on. The message names it and says why."""


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to `host` and `port`, a free port if that is 0. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CannotListen(f"the host '{host}' is not known: {error.strerror}") from error
    bound = socket.socket(family, kind, protocol)
    # A port whose last connections are still being closed down is free; one that is listened on is not.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _end_silent_connections(bound)
    try:
        bound.bind(address)
        bound.listen()
    except OSError as error:
        bound.close()
        raise CannotListen(_reason(host, port, error)) from error
    return bound


def base_url(bound: socket.socket, *, tls: bool = False) -> str:
    """The URL at which a socket of `bind` is reached, for example http://127.0.0.1:8080."""
    host, port = bound.getsockname()[:2]
    scheme = "https" if tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def is_loopback(bound: socket.socket) -> bool:
    """Whether a socket of `bind` is reached from this machine alone."""
    host: str = bound.getsockname()[0]
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback


def _end_silent_connections(bound: socket.socket) -> None:
    """Have the kernel end connections, which inherit this, whose other side is gone or takes nothing.

    USER_TIMEOUT: seconds in which a client may leave what was sent to it unread, with its own buffers full,
    or unacknowledged. KEEPIDLE and what follows: after how long, how often and how many times a silent client
    is asked whether it is still there.
    """
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_USER_TIMEOUT, SILENCE_S * 1000),
        (socket.TCP_KEEPIDLE, SILENCE_S),
        (socket.TCP_KEEPINTVL, 10),
        (socket.TCP_KEEPCNT, 3),
    ):
        bound.setsockopt(socket.IPPROTO_TCP, option, value)


def _reason(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is already in use; choose another with --port (0: any free one)"
        case errno.EACCES:
            return f"no permission to listen on port {port} of {host}; choose one above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine"
        case _:
            return f"cannot listen on port {port} of {host}: {error.strerror}"
