from __future__ import annotations

import socket

import pytest

from wending.serve.listening_socket import CannotListen, base_url, bind, is_loopback


def test_port_in_use() -> None:
    first = bind("127.0.0.1", 0)
    port = first.getsockname()[1]
    with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is already in use"):
        bind("127.0.0.1", port)
    first.close()
    bind("127.0.0.1", port).close()


def test_unusable_hosts() -> None:
    with pytest.raises(CannotListen, match="not an address of this machine"):
        bind("192.0.2.1", 0)
    with pytest.raises(CannotListen, match=r"'no\.such\.host\.invalid' is not known"):
        bind("no.such.host.invalid", 0)


def test_base_url() -> None:
    with bind("127.0.0.1", 0) as bound:
        assert base_url(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"
        assert base_url(bound, tls=True) == f"https://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_base_url_of_ipv6() -> None:
    try:
        bound = bind("::1", 0)
    except CannotListen:
        pytest.skip("this machine has no IPv6 loopback")
    with bound:
        assert base_url(bound) == f"http://[::1]:{bound.getsockname()[1]}"


@pytest.mark.parametrize(("host", "loopback"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False)])
def test_whether_others_can_reach_it(host: str, loopback: bool) -> None:
    with bind(host, 0) as bound:
        assert is_loopback(bound) == loopback
