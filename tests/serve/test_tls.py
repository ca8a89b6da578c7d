from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.certificate import make_certificate
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server

from wending.serve.operations import Operations
from wending.serve.tls import BadTLSFiles, ServerCertificate, check_tls_files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), "server", "-nodes")


def test_serves_https(files: tuple[Path, Path]) -> None:
    cert, key = files
    check_tls_files(cert, key)
    operations = Operations(tls_cert=cert, tls_key=key, drain_s=0.2)
    trusting = ssl.create_default_context(cafile=str(cert))
    with live_server(FakeClient(), operations) as server:
        assert server.url.startswith("https://")
        with httpx.Client(base_url=server.url, verify=trusting) as http:
            assert http.get("/health").json()["status"] == "ok"
        with pytest.raises(httpx.HTTPError):
            httpx.get(server.url.replace("https:", "http:"))


def test_new_connections_have_the_certificate_that_was_read_last(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path, "server", "-nodes")
    certificate = ServerCertificate(cert, key)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(cert, key)
    served.sni_callback = certificate.present
    seen = [certificate_seen(served)]
    make_certificate(tmp_path, "server", "-nodes")
    certificate.reload()
    seen.append(certificate_seen(served))
    key.write_text("no key")
    with pytest.raises(BadTLSFiles, match="are not a PEM certificate and its key"):
        certificate.reload()
    seen.append(certificate_seen(served))
    assert seen[0] != seen[1] == seen[2] == ssl.PEM_cert_to_DER_cert(cert.read_text())


def certificate_seen(served: ssl.SSLContext) -> bytes | None:
    """What a client is shown that names no host."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there)
    server = served.wrap_bio(there, back, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return client.getpeercert(binary_form=True)


def test_no_tls_needs_no_files() -> None:
    check_tls_files(None, None)


def test_what_is_wrong_names_the_file(files: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = files
    other_cert, other_key = make_certificate(tmp_path, "other", "-nodes")
    secret_cert, secret_key = make_certificate(tmp_path, "secret", "-passout", "pass:1234")
    text = tmp_path / "text"
    text.write_text("no certificate")
    for pair, said in (
        ((cert, None), "needs both"),
        ((None, key), "needs both"),
        ((tmp_path / "nowhere", key), "nowhere: cannot be read: No such file"),
        ((cert, tmp_path), "cannot be read: Is a directory"),
        ((text, key), "text and .*server.key: are not a PEM certificate and its key"),
        ((cert, text), "are not a PEM certificate and its key"),
        ((cert, other_key), "other.key: is not the key of the certificate .*server.crt"),
        ((other_cert, key), "server.key: is not the key of the certificate"),
        ((secret_cert, secret_key), "secret.key: is protected by a password"),
    ):
        with pytest.raises(BadTLSFiles, match=said):
            check_tls_files(*pair)
