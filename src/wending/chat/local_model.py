"""Answers from a model in this process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event

from wending.chat.answerer import AnswerFailed, Message
from wending.engine.errors import InvalidRequest
from wending.engine.llm import LLM
from wending.engine.sampling_params import SamplingParams


class LocalModel:
    """See Answerer."""

    def __init__(self, llm: LLM, temperature: float) -> None:
        """Raises InvalidRequest for a temperature that cannot be."""
        self.name = llm.info.name
        self._llm = llm
        self._params = SamplingParams(temperature=temperature)

    def answer(self, messages: list[Message], on_text: Callable[[str], None]) -> str:
        """See Answerer.answer."""
        reason = "stop"
        try:
            with (
                _interrupts() as interrupted,
                closing(self._llm.chat(messages, self._params, progress=False, stream=True)) as deltas,
            ):
                for _, delta in deltas:
                    on_text(delta.text)
                    if delta.error is not None:
                        raise AnswerFailed(delta.error)
                    if interrupted.is_set():
                        raise KeyboardInterrupt
                    reason = delta.finish_reason or reason
        except InvalidRequest as error:
            raise AnswerFailed(str(error)) from error
        return reason


@contextmanager
def _interrupts() -> Iterator[Event]:
    """Set by Ctrl-C, in place of an exception in the middle of a step, which the engine could not bear."""
    interrupted = Event()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
