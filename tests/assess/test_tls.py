"""https with a certificate of the test's own, by both clients: trusted if named, else the reason is told."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.certificate import make_certificate

from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import Unreachable
from wending.assess.load.connection import ChatConnection
from wending.assess.load.dial import Address
from wending.assess.scripted import Script, ScriptedServer

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that signs itself, for 127.0.0.1, and its key."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "server", "-nodes")


@pytest.fixture
def certificate(files: tuple[Path, Path]) -> Path:
    return files[0]


@pytest.fixture
def server(files: tuple[Path, Path]) -> ScriptedServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return ScriptedServer(Script(tokens=3), tls=context)


async def by_the_client_of_scenarios(base_url: str) -> str:
    async with EndpointClient(base_url, model="scripted") as client:
        answer = await client.chat(MESSAGES, max_tokens=8, temperature=0.0, top_p=1.0, seed=1)
        return answer.text


async def by_the_load_generator(base_url: str) -> str:
    address = Address(base_url, {})
    connection, answer = ChatConnection(address), ChatAnswer(asyncio.get_running_loop().time())
    try:
        await connection.ask(
            address.request(json.dumps({"messages": MESSAGES, "stream": True}).encode()), answer
        )
    finally:
        connection.close()
    return answer.text


Ask = Callable[[str], "asyncio.Future[str]"]
clients = pytest.mark.parametrize("ask", [by_the_client_of_scenarios, by_the_load_generator])


@clients
async def test_a_certificate_that_is_named_is_trusted(
    ask: Ask, server: ScriptedServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with server:
        assert server.base_url.startswith("https://")
        assert await ask(server.base_url) == "word0 word1 word2"


@clients
async def test_another_is_not_and_the_reason_is_given(ask: Ask, server: ScriptedServer) -> None:
    async with server:
        with pytest.raises(
            Unreachable, match=r"certificate of https://.* is not trusted: self-signed"
        ) as caught:
            await ask(server.base_url)
    assert "SSL_CERT_FILE" in caught.value.words
    assert server.served == 0


@clients
async def test_a_certificate_of_another_name_is_not_trusted(
    ask: Ask, server: ScriptedServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with server:
        with pytest.raises(Unreachable, match="mismatch"):
            await ask(f"https://localhost:{server.port}/v1")


@clients
async def test_a_server_without_tls_is_told_as_one(ask: Ask) -> None:
    async with ScriptedServer(Script()) as plain:
        with pytest.raises(Unreachable, match="no TLS connection"):
            await ask(plain.base_url.replace("http:", "https:"))


async def test_a_load_is_sent_by_https(server: ScriptedServer, certificate: Path, tmp_path: Path) -> None:
    """The processes of the generator trust what the command trusts, in their own event loop."""
    load = [sys.executable, "-m", "wending", "load", "--rate", "20", "--seconds", "1", "--lang", "en"]
    environment = {"SSL_CERT_FILE": str(certificate), "PATH": "/usr/bin:/bin"}
    async with server:
        process = await asyncio.create_subprocess_exec(
            *load, server.base_url, "--out", str(tmp_path), env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0
    report = json.loads((tmp_path / "load.json").read_text())
    assert report["complete"]
    assert report["requests"] > 0
    assert report["failed"]["k"] == 0
