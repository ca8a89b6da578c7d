"""A request as the service's process keeps it: all that is needed to go on with it in another engine."""

from __future__ import annotations

import time
from array import array

from wending.engine.client import CompletionDelta
from wending.engine.delta_stream import DeltaStream
from wending.engine.messages import Add, add_message
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency


class InFlight:
    """Prompt, parameters with the seed in use, and the tokens so far of a request that is not complete."""

    def __init__(
        self,
        number: int,
        prompt_token_ids: array[int],
        params: SamplingParams,
        urgency: Urgency | None,
    ) -> None:
        self.number = number
        """Its name for `Suspicion`."""
        self.key: str | None = None
        """Its name in the engine's process; None while it is not there. A new one each time it is added, so
        that nothing late of an earlier time counts."""
        self.stream = DeltaStream(params.n)
        self.prompt_token_ids = prompt_token_ids
        self.params = params
        self._urgency = urgency
        self._arrival = time.monotonic()
        self._deadline = None
        if urgency is not None and urgency.deadline_s is not None:
            self._deadline = self._arrival + urgency.deadline_s
        self._token_ids = [array("i") for _ in range(params.n)]
        self._finished = [False] * params.n
        self._unproven: set[int] = set()
        self._times_added = 0

    @property
    def num_tokens(self) -> int:
        """Of the prompt and of all completions so far."""
        return len(self.prompt_token_ids) + sum(map(len, self._token_ids))

    @property
    def num_unfinished(self) -> int:
        """Completions that are not complete."""
        return self._finished.count(False)

    @property
    def is_proven(self) -> bool:
        """Whether each completion has made a token, or ended, since the request was added last."""
        return not self._unproven

    def message(self) -> Add:
        """What adds it to an engine, which goes on from here; it has a new key from now on."""
        self._times_added += 1
        self.key = f"{self.number}/{self._times_added}"
        self._unproven = {index for index, finished in enumerate(self._finished) if not finished}
        progress = [
            Progress(token_ids, finished)
            for token_ids, finished in zip(self._token_ids, self._finished, strict=True)
        ]
        return add_message(
            self.key,
            self.prompt_token_ids,
            self.params,
            self._urgency_now(),
            progress if any(self._token_ids) or any(self._finished) else (),
            time.monotonic() - self._arrival,
        )

    def deliver(self, delta: CompletionDelta) -> None:
        """Keep what a completion has gained, and pass it on."""
        self._token_ids[delta.index].extend(delta.token_ids)
        self._finished[delta.index] = delta.finish_reason is not None
        self._unproven.discard(delta.index)
        self.stream.put(delta)

    def say_taken(self) -> None:
        """Let whoever awaits its deltas know that it is not refused, before there is a token."""
        if not any(self._token_ids) and not any(self._finished):
            self.stream.put(CompletionDelta(0, "", [], seed=self.params.seed))

    def fail(self, message: str) -> None:
        """End it, because the engine cannot compute it without dying."""
        for index, finished in enumerate(self._finished):
            if not finished:
                delta = CompletionDelta(
                    index,
                    "",
                    [],
                    logprobs=None if self.params.logprobs is None else [],
                    finish_reason="error",
                    error=message,
                    error_code="worker_crashed",
                    seed=self.params.seed,
                )
                self.deliver(delta)

    def _urgency_now(self) -> Urgency | None:
        """Its urgency with what is left of the deadline; one that has passed is left to the engine."""
        if self._urgency is None or self._deadline is None:
            return self._urgency
        return Urgency(self._urgency.priority, max(self._deadline - time.monotonic(), 1e-3))
