"""Where requests go, and how a connection to there is opened: directly, or through a proxy."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from wending.assess.tls import trust

CONNECT_TIMEOUT = 10.0
"""Seconds to open a connection."""
_LOCAL = ("127.0.0.1", "localhost", "::1")


class Address:
    """The chat completions of a base URL such as http://host:8000/v1, and the head of a request to it."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self.url = f"{base_url}/chat/completions"
        parts = urlsplit(self.url)
        self.is_secure = parts.scheme == "https"
        # Made once: reading the certificates takes so long that it would show in the times.
        self.tls = trust() if self.is_secure else None
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.is_secure else 80)
        self.has_key = "Authorization" in headers
        self.proxy = proxy_of_environment(parts.scheme, self.host)
        # A proxy is told the whole URL, unless what it passes on is encrypted.
        target = self.url if self.proxy is not None and not self.is_secure else parts.path
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json",
                 "Accept: text/event-stream", "Accept-Encoding: identity",
                 "User-Agent: wending-assess"]  # fmt: skip
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self.proxy is not None and not self.is_secure:
            lines += self.proxy.authorization
        self._head = "\r\n".join([*lines, "Content-Length: "]).encode()

    def request(self, body: bytes) -> bytes:
        """Head and body, to be written in one piece."""
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)


class Proxy:
    """An HTTP proxy, as http_proxy or https_proxy names it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "//" in url else f"//{url}")
        self.host = parts.hostname or ""
        self.port = parts.port or 80
        self.authorization: list[str] = []
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self.authorization = [f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}"]


def proxy_of_environment(scheme: str, host: str) -> Proxy | None:
    """A proxy is for the world outside, never for this machine."""
    found = getproxies().get(scheme)
    return None if not found or host in _LOCAL or proxy_bypass(host) else Proxy(found)


async def dial(address: Address, protocol: Callable[[], asyncio.Protocol]) -> None:
    """Opens a connection for a protocol. Raises OSError and TimeoutError."""
    loop = asyncio.get_running_loop()
    name = address.host if address.is_secure else None
    async with asyncio.timeout(CONNECT_TIMEOUT):
        if address.proxy is None:
            await loop.create_connection(
                protocol, address.host, address.port, ssl=address.tls, server_hostname=name
            )
        else:
            reached = await _through(address, address.proxy)
            await loop.create_connection(protocol, sock=reached, ssl=address.tls, server_hostname=name)


async def _through(address: Address, proxy: Proxy) -> socket.socket:
    """A socket to the proxy; for https one that the proxy has connected with the host."""
    loop = asyncio.get_running_loop()
    family, kind, number, _, place = (
        await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    )[0]
    opened = socket.socket(family, kind, number)
    opened.setblocking(False)
    try:
        await loop.sock_connect(opened, place)
        if address.is_secure:
            where = f"{address.host}:{address.port}"
            lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}", *proxy.authorization, "", ""]
            await loop.sock_sendall(opened, "\r\n".join(lines).encode("latin-1"))
            reply = b""
            while b"\r\n\r\n" not in reply:
                piece = await loop.sock_recv(opened, 4096)
                if not piece:
                    raise OSError("the proxy closed the connection")
                reply += piece
            status = reply.split(b"\r\n", 1)[0].decode("latin-1")
            if " 200" not in status:
                raise OSError(f"the proxy says {status}")
    except BaseException:
        opened.close()
        raise
    return opened
