"""https: whose certificates are trusted, and what is said when no such connection comes about."""

from __future__ import annotations

import ssl

from wending.assess.bilingual import Bilingual
from wending.assess.endpoint_errors import Unreachable


def trust() -> ssl.SSLContext:
    """The system's certificates, or those that SSL_CERT_FILE and SSL_CERT_DIR name instead."""
    return ssl.create_default_context()


def tls_failure(url: str, error: ssl.SSLError) -> Unreachable:
    """A certificate that is not trusted, or a server that speaks something else."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
        return Unreachable(
            Bilingual(
                f"the certificate of {url} is not trusted: {why}; SSL_CERT_FILE may name a file of "
                "certificates to trust",
                f"{url} 的证书不受信任：{why}；可用环境变量 SSL_CERT_FILE 指定受信任的证书文件",
            )
        )
    why = error.reason or str(error)
    return Unreachable(
        Bilingual(
            f"{url} cannot be reached: no TLS connection ({why})",
            f"无法连接 {url}：无法建立 TLS 连接（{why}）",
        )
    )
