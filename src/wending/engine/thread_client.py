"""An engine in a background thread, used from asyncio.

Commands go in through a thread-safe queue, which the thread reads between steps; idle, it sleeps on that
queue. What a step produced comes back in one call into the event loop. Each side touches its own state
only: the thread owns the engine, the event loop owns the streams.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wending.engine.client import CompletionDelta, EngineClient, EngineStats, ModelInfo
from wending.engine.delta_stream import DeltaStream
from wending.engine.engine import Engine, Output
from wending.engine.errors import EngineDead, InvalidRequest
from wending.engine.prompt_encoder import PromptEncoder
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Add:
    key: str
    prompt_token_ids: list[int]
    params: SamplingParams
    urgency: Urgency | None


@dataclass(frozen=True, slots=True)
class _Abort:
    key: str


@dataclass(frozen=True, slots=True)
class _Stop:
    pass


_Command = _Add | _Abort | _Stop


class ThreadClient(EngineClient):
    """EngineClient over an Engine in a thread of this process."""

    _loop: asyncio.AbstractEventLoop  # the one that `start` ran on

    def __init__(self, engine: Engine, prompts: PromptEncoder, info: ModelInfo) -> None:
        """From here on the client owns `engine`: nobody else may call it."""
        self.info = info
        self._engine = engine
        self._prompts = prompts
        self._commands: queue.SimpleQueue[_Command] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="wending-engine", daemon=True)
        self._streams: dict[str, DeltaStream] = {}
        self._keys = itertools.count()
        self._death: str | None = None

    async def start(self) -> None:
        """Start the engine's thread."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def close(self) -> None:
        """Stop the thread after the step it is in, and end what is in flight."""
        self._commands.put(_Stop())
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        self._die("the engine was closed")

    async def generate(
        self,
        prompt_token_ids: list[int],
        params: SamplingParams,
        request_id: str,
        urgency: Urgency | None = None,
    ) -> AsyncGenerator[CompletionDelta, None]:
        """See EngineClient.generate."""
        if self._death is not None:
            raise EngineDead(self._death)
        # The key is ours and never used twice, so nothing late of an aborted request can reach a namesake.
        key = f"{request_id}#{next(self._keys)}"
        stream = self._streams[key] = DeltaStream(params.n)
        self._commands.put(_Add(key, prompt_token_ids, params, urgency))
        try:
            while (delta := await stream.get()) is not None:
                yield delta
        finally:
            del self._streams[key]
            if not stream.complete:
                self._commands.put(_Abort(key))

    def encode_chat(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[dict[str, Any]] | None = None
    ) -> list[int]:
        """See EngineClient.encode_chat."""
        return self._prompts.encode_chat(messages, tools)

    def encode(self, text: str) -> list[int]:
        """See EngineClient.encode."""
        return self._prompts.encode(text)

    def decode(self, token_ids: Sequence[int]) -> str:
        """See EngineClient.decode."""
        return self._prompts.decode(token_ids)

    def stats(self) -> EngineStats:
        """See EngineClient.stats."""
        return replace(self._engine.stats(), error=self._death)

    # In the event loop, on behalf of the engine's thread.

    def _deliver(self, outputs: list[Output]) -> None:
        for key, delta in outputs:
            stream = self._streams.get(key)
            if stream is not None:  # else its consumer has left and the abort is on its way
                stream.put(delta)

    def _refuse(self, key: str, error: Exception) -> None:
        stream = self._streams.get(key)
        if stream is not None:
            stream.fail(error)

    def _die(self, reason: str) -> None:
        if self._death is None:
            self._death = reason
        for stream in self._streams.values():
            if not stream.complete:
                stream.fail(EngineDead(self._death))

    # In the engine's thread.

    def _run(self) -> None:
        try:
            while self._obey_commands():
                outputs = self._engine.step()
                if outputs:
                    self._in_loop(self._deliver, outputs)
        except Exception as error:
            _log.critical("the engine has failed", exc_info=True)
            self._in_loop(self._die, f"the engine has failed: {type(error).__name__}: {error}")

    def _obey_commands(self) -> bool:
        """Carry out what is queued; with nothing to compute, wait for it. False when it is time to stop."""
        while True:
            idle = not self._engine.has_work
            if idle:
                self._engine.check_integrity()
            try:
                command = self._commands.get(block=idle)
            except queue.Empty:
                return True
            if isinstance(command, _Stop):
                return False
            self._obey(command)

    def _obey(self, command: _Add | _Abort) -> None:
        """Carry out one command. What goes wrong in adding a request is that request's own affair."""
        if isinstance(command, _Abort):
            self._engine.abort_request(command.key)
            return
        try:
            self._engine.add_request(command.key, command.prompt_token_ids, command.params, command.urgency)
        except InvalidRequest as error:
            self._in_loop(self._refuse, command.key, error)
        except Exception as error:
            _log.exception("request %s could not be added", command.key)
            refusal = InvalidRequest("request", f"could not be added: {type(error).__name__}: {error}")
            self._in_loop(self._refuse, command.key, refusal)

    def _in_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        """Have the event loop call a function."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop is closed, so nobody is left to serve
            self._commands.put(_Stop())
