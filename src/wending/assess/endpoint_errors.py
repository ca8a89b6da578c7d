"""What can go wrong with an endpoint: one class for each thing that a person would do about it."""

from __future__ import annotations

from wending.assess.bilingual import Bilingual, chinese


class EndpointError(Exception):
    """Base of the errors of an endpoint. `words` is one sentence for the person who runs the assessment."""

    kind: str = "error"
    """The type of stability problem that it is (a key of ``wending.assess.problems.PROBLEMS``)."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


class Unreachable(EndpointError):  # noqa: N818
    """No connection could be opened: refused, no such host, no trust in its certificate, nobody there."""

    kind = "unreachable"


class ConnectionReset(EndpointError):  # noqa: N818
    """The connection was lost before anything of the answer had come."""

    kind = "connection_reset"


class CutOff(EndpointError):  # noqa: N818
    """The answer had begun and broke off: the connection was lost, or the stream ended without a
    finish_reason."""

    kind = "cut_off"


class Unauthorized(EndpointError):  # noqa: N818
    """The endpoint refused the key: HTTP 401 or 403."""

    kind = "unauthorized"


class BadStatus(EndpointError):  # noqa: N818
    """The endpoint answered with an error status, or reported an error inside the stream (status 200).

    Its kind is "too_many_requests" (429), "server_error" (5xx, or inside the stream) or "request_refused".
    """

    @property
    def is_refusal(self) -> bool:
        """Whether the endpoint says that it will not do what this request asks, others it may."""
        return self.status in (400, 422, 501)

    def __init__(
        self, status: int, message: str, *, url: str | None = None, retry_after_s: float | None = None
    ) -> None:
        """`url`: what was asked for, where that may be the mistake; `retry_after_s`: the seconds after which
        the endpoint wants to be asked again."""
        self.status = status
        self.message = message
        self.url = url
        self.retry_after_s = retry_after_s
        if status == 429:
            self.kind = "too_many_requests"
        else:
            self.kind = "server_error" if status == 200 or status >= 500 else "request_refused"
        if status == 200:
            where = Bilingual("an error inside the stream", "流中的错误")
        else:
            there = "" if url is None else f" ({url})"
            where = Bilingual(f"HTTP {status}{there}", f" HTTP {status}{there}")
        super().__init__(
            Bilingual(
                f"the endpoint answered with {where}: {message}", f"服务返回{where.zh}：{chinese(message)}"
            )
        )


class OutOfSockets(EndpointError):  # noqa: N818
    """No fault of the endpoint: this machine could not open another connection."""

    kind = "out_of_sockets"


class ProtocolError(EndpointError):
    """The endpoint answered, but not with the OpenAI protocol: no HTTP, not JSON, no choices."""

    kind = "protocol_error"


class EndpointTimeout(EndpointError):  # noqa: N818
    """The endpoint did not answer, or stopped sending, within the time limit."""

    kind = "timeout"
