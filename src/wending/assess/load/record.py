"""What is written down of one request of a load."""

from __future__ import annotations

import msgspec

from wending.assess.bilingual import Bilingual, chinese
from wending.assess.chat_answer import ChatAnswer
from wending.assess.endpoint_errors import BadStatus, EndpointError, Unauthorized


class Failure(msgspec.Struct, frozen=True):
    """An EndpointError that can go from one process to another."""

    kind: str
    en: str
    zh: str
    status: int | None = None
    """Of an answer that was an error."""

    @classmethod
    def of(cls, error: EndpointError) -> Failure:
        status = error.status if isinstance(error, BadStatus) else None
        return cls(error.kind, str(error.words), chinese(error.words), status)

    @property
    def is_refusal(self) -> bool:
        """The endpoint says that it has too much to do."""
        return self.status in (429, 503)

    def as_error(self) -> EndpointError:
        words = Bilingual(self.en, self.zh)
        return Unauthorized(words) if self.kind == Unauthorized.kind else EndpointError(words)


class RequestRecord(msgspec.Struct, tag="record"):
    """`answer` holds the times: sent, each event with content, end. All by the machine's monotonic clock.

    `intended` is when the request was due: by the schedule of an open loop, or when the answer before it had
    ended. It is sent when the generator begins to act on it, so opening a connection is part of its time.
    An `answer` without `failure` and without `finish_reason` was still under way when the load was ended.
    """

    number: int
    """Its place in the plan."""
    intended: float
    counted: bool
    """False for a request that only kept the load up, before or after those that are measured."""
    answer: ChatAnswer
    failure: Failure | None = None
    last_byte: float | None = None
    """When the whole response was there, which is when its stream may send the next."""
    sent_again: bool = False
    """The endpoint had closed the connection that it was sent on, which had been kept from before."""

    @property
    def lag_s(self) -> float:
        """How late the generator was."""
        return max(self.answer.sent - self.intended, 0.0)

    @property
    def last_s(self) -> float:
        """The last time that is known of it."""
        answer = self.answer
        return answer.ended or (answer.content_times[-1] if answer.content_times else answer.sent)

    @property
    def is_over(self) -> bool:
        return self.failure is not None or self.answer.finish_reason is not None
