"""From a conversation to its prompt: the system prompt restated, the oldest turns left out, if so asked for.

What the model is shown at one turn is the beginning of what it is shown at the next, so that the prefix cache
has it: a restated system prompt stays before the turn that it was put before, and turns are left out several
at a time, and then none for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from wending.engine.client import EngineClient
from wending.engine.errors import InvalidRequest
from wending.serve.chat_request import ChatRequest
from wending.serve.conversation_settings import ContextPolicy, ConversationSettings
from wending.serve.in_thread import in_thread_if_long
from wending.serve.oldest_turns import oldest_turns
from wending.serve.restated_system import restated
from wending.serve.turns import Message, conversation_of

DEFAULT_ROOM = 512
"""Tokens to keep free for an answer whose max_tokens is not given."""

_ANY_SYSTEM: Message = {"role": "system", "content": "."}


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """A prompt, and what was done to the conversation to make it."""

    token_ids: list[int]
    context_policy: ContextPolicy = "refuse"
    dropped_turns: int = 0
    restated_system: int = 0
    """How many times the system prompt stands in it besides the first one."""

    def headers(self) -> dict[str, str]:
        """Of every answer to it, so that nothing is ever left out silently."""
        if self.context_policy == "refuse":
            return {}
        return {"X-Wending-Dropped-Turns": str(self.dropped_turns)}


async def prompt_of(client: EngineClient, chat: ChatRequest, settings: ConversationSettings) -> ChatPrompt:
    """The prompt of a request; `settings` count for what it does not say itself. Raises InvalidRequest."""
    maker = _PromptMaker(client, chat, settings)
    return await in_thread_if_long(maker.characters, maker.prompt, chat.answer_tokens or DEFAULT_ROOM)


class _PromptMaker:
    """Used for one prompt."""

    def __init__(self, client: EngineClient, chat: ChatRequest, settings: ConversationSettings) -> None:
        messages = chat.template_messages()
        self._tools = chat.template_tools()
        contents = (message["content"] for message in messages)
        self.characters = sum(map(len, contents)) + len(orjson.dumps(self._tools))
        self._client = client
        self._context = client.info.max_context
        self._continue_final_message = bool(chat.continue_final_message)
        self._policy = chat.context_policy or settings.context_policy
        self._system, self._turns = conversation_of(messages)
        every = settings.restate_system if chat.restate_system is None else chat.restate_system
        self._restated = restated(self._system) if every else None
        self._reminded = set(range(every, len(self._turns), every)) if self._restated else set()
        """The numbers of the turns before which the system prompt is restated."""

    def prompt(self, room: int) -> ChatPrompt:
        """The prompt. Turns that may be left out leave `room` tokens behind it, but no more than half of the
        context. Raises InvalidRequest if it is too long without them."""
        limit = self._context - min(room, self._context // 2)
        dropped, last = 0, len(self._turns) - 1
        token_ids = self._encode(dropped)
        if self._policy == "drop-oldest" and len(token_ids) > limit and last > 0:
            dropped = self._drop(len(token_ids), limit)
            token_ids = self._encode(dropped)
            while len(token_ids) > limit and dropped < last:  # if a turn's size depends on what is before it
                dropped += 1
                token_ids = self._encode(dropped)
            if len(token_ids) >= self._context:
                raise InvalidRequest(
                    "messages",
                    f"has {len(token_ids)} tokens even without its {dropped} oldest turns; the context holds "
                    f"{self._context}, the answer needs at least one",
                    code="context_length_exceeded",
                )
        times_restated = sum(number >= dropped for number in self._reminded)
        return ChatPrompt(token_ids, self._policy, dropped, times_restated)

    def _drop(self, total: int, limit: int) -> int:
        """How many turns to leave out of `total` tokens. Where that became necessary, the system prompt is
        restated."""
        besides = len(self._client.encode_chat([_ANY_SYSTEM]))

        def size(messages: Sequence[Message]) -> int:
            """How many tokens these messages are in a longer conversation."""
            return len(self._client.encode_chat([_ANY_SYSTEM, *messages])) - besides

        sizes = [size(self._turn(number)) for number in range(len(self._turns))]
        if self._restated is not None:
            limit -= size([self._restated])
        turns, since = oldest_turns(sizes, total, limit, max(self._context // 8, 1))
        if self._restated is not None:
            self._reminded.add(since)
        return turns

    def _encode(self, dropped: int) -> list[int]:
        """The tokens of the conversation without so many of its oldest turns."""
        kept = (self._turn(number) for number in range(dropped, len(self._turns)))
        messages = [*self._system, *(message for turn in kept for message in turn)]
        return self._client.encode_chat(
            messages, self._tools, continue_final_message=self._continue_final_message
        )

    def _turn(self, number: int) -> list[Message]:
        turn = self._turns[number]
        return [self._restated, *turn] if self._restated and number in self._reminded else turn
