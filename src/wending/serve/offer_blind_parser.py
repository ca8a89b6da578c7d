"""httptools' parser for a server that stays with HTTP/1.1.

A client may offer to go on in another protocol with any request (Upgrade, RFC 9110, section 7.8), and a
server may take no notice. httptools takes what stands behind the head of such a request for the other
protocol, so that its body is lost. Java's client makes that offer, of HTTP/2, with its first request.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

import httptools

OFFER = b"upgrade"


class OfferBlindParser(httptools.HttpRequestParser):
    """Hands what stands behind the head of a request with an offer to whoever reads it without the offer."""

    def __init__(self, protocol: object, read_without_offer: Callable[[bytes], bool]) -> None:
        """`protocol` has httptools' callbacks. `read_without_offer`: called with the bytes behind the head;
        False if there was no offer."""
        super().__init__(protocol)
        self._read_without_offer = read_without_offer
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own has them

    def feed_data(self, data: bytes | bytearray | memoryview[int] | array[int]) -> None:
        """Raises what httptools does, and HttpParserUpgrade for CONNECT alone."""
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self._read_without_offer(bytes(data[upgrade.args[0] :])):
                raise
