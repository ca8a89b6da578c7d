from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.random_checkpoint import write_test_tokenizer
from tests.serve.fake_client import FakeClient

from wending.engine.errors import InvalidRequest
from wending.engine.prompt_encoder import PromptEncoder
from wending.model.chat_template import ChatTemplate
from wending.model.tokenizer import Tokenizer
from wending.serve.chat_prompt import ChatPrompt, prompt_of
from wending.serve.chat_request import ChatRequest
from wending.serve.conversation_settings import ConversationSettings

Messages = list[dict[str, Any]]
DROP = ConversationSettings(context_policy="drop-oldest")
SYSTEM = {"role": "system", "content": "You are terse and polite."}


class EncodingClient(FakeClient):
    """Makes prompts as a real engine does, and counts the tokens that this takes."""

    def __init__(self, prompts: PromptEncoder, max_context: int) -> None:
        super().__init__(max_context=max_context)
        self.prompts = prompts
        self.encoded = 0
        self.threads: set[str] = set()

    def encode_chat(
        self,
        messages: Sequence[dict[str, Any]],
        tools: Sequence[dict[str, Any]] | None = None,
        *,
        continue_final_message: bool = False,
    ) -> list[int]:
        ids = self.prompts.encode_chat(messages, tools, continue_final_message=continue_final_message)
        self.conversations.append(list(messages))
        self.encoded += len(ids)
        self.threads.add(threading.current_thread().name)
        return ids


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> PromptEncoder:
    """One token for each byte, in Qwen2.5's template."""
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    write_test_tokenizer(folder)
    return PromptEncoder(Tokenizer.load(folder), ChatTemplate.load(folder))


def turns(count: int, numbers: random.Random | None = None) -> Messages:
    """So many turns, the last without an answer; of 40 bytes, or of 16 to 80."""
    messages: Messages = []
    for i in range(count):
        length = 18 if numbers is None else numbers.randrange(8, 40)
        messages.append({"role": "user", "content": f"Q{i}".ljust(length, "?")})
        messages.append({"role": "assistant", "content": f"A{i}".ljust(length, "!")})
    return messages[:-1]


async def made(
    client: FakeClient, messages: Messages, settings: ConversationSettings, **fields: Any
) -> ChatPrompt:
    chat = ChatRequest.parse({"model": "fake-model", "messages": messages} | fields)
    return await prompt_of(client, chat, settings)


def shown(client: FakeClient) -> list[str]:
    """The messages of the newest prompt: their roles' initials, and how they begin."""
    return [
        message["role"][0] if message["role"] == "system" else message["content"][:3].strip("?!")
        for message in client.conversations[-1]
    ]


async def test_nothing_is_changed_by_default(prompts: PromptEncoder) -> None:
    client = EncodingClient(prompts, 100)
    messages = [SYSTEM, *turns(20)]
    prompt = await made(client, messages, ConversationSettings())
    assert prompt == ChatPrompt(prompts.encode_chat(messages))
    assert prompt.headers() == {}
    assert client.conversations == [messages]


async def test_what_fits_is_left_whole(prompts: PromptEncoder) -> None:
    messages = [SYSTEM, *turns(5)]
    length = len(prompts.encode_chat(messages))
    prompt = await made(EncodingClient(prompts, length + 10), messages, DROP, max_tokens=10)
    assert prompt == ChatPrompt(prompts.encode_chat(messages), "drop-oldest")
    assert prompt.headers() == {"X-Wending-Dropped-Turns": "0"}
    prompt = await made(EncodingClient(prompts, length + 10), messages, DROP, max_tokens=11)
    assert prompt.dropped_turns > 0


@pytest.mark.parametrize("seed", range(20))
async def test_the_oldest_turns_go_and_the_answer_has_room(prompts: PromptEncoder, seed: int) -> None:
    numbers = random.Random(seed)
    client = EncodingClient(prompts, 900)
    messages = [SYSTEM, *turns(20, numbers)]
    room = numbers.randrange(1, 450)
    prompt = await made(client, messages, DROP, max_tokens=room)
    dropped = prompt.dropped_turns
    assert 0 < dropped < 20
    assert client.conversations[-1] == [SYSTEM, *messages[1 + 2 * dropped :]]
    assert prompt.token_ids == prompts.encode_chat(client.conversations[-1])
    assert 900 - room - 112 - 130 < len(prompt.token_ids) <= 900 - room
    assert prompt.headers() == {"X-Wending-Dropped-Turns": str(dropped)}
    assert client.encoded < 3.5 * len(prompts.encode_chat(messages))


@pytest.mark.parametrize(
    ("fields", "room"),
    [
        ({}, 512),
        ({"max_tokens": 300}, 300),
        ({"max_completion_tokens": 300}, 300),
        ({"max_tokens": 300, "continue": 3}, 300),
        ({"max_tokens": 5000}, 1000),  # what was said keeps half of the context
    ],
)
async def test_room(prompts: PromptEncoder, fields: dict[str, Any], room: int) -> None:
    messages = [SYSTEM, *turns(80)]
    prompt = await made(EncodingClient(prompts, 2000), messages, DROP, **fields)
    assert 2000 - room - 250 - 60 < len(prompt.token_ids) <= 2000 - room


async def test_a_turn_goes_with_its_tool_messages(prompts: PromptEncoder) -> None:
    client = EncodingClient(prompts, 200)
    messages = [
        {"role": "user", "content": "Q0" + "?" * 150},
        {"role": "assistant", "content": "I look."},
        {"role": "tool", "content": "21"},
        {"role": "tool", "content": "22"},
        {"role": "assistant", "content": "A0"},
        {"role": "user", "content": "Q1"},
    ]
    prompt = await made(client, messages, DROP)
    assert prompt.dropped_turns == 1
    assert shown(client) == ["Q1"]


async def test_tools_take_their_room(prompts: PromptEncoder) -> None:
    tool = {"type": "function", "function": {"name": "now", "description": "The time. " * 10}}
    client = EncodingClient(prompts, 1400)
    messages = [SYSTEM, *turns(30)]
    prompt = await made(client, messages, DROP, max_tokens=100, tools=[tool])
    assert prompt.dropped_turns > (await made(client, messages, DROP, max_tokens=100)).dropped_turns
    kept = [SYSTEM, *messages[1 + 2 * prompt.dropped_turns :]]
    assert prompt.token_ids == prompts.encode_chat(kept, [tool])
    assert len(prompt.token_ids) <= 1300


async def test_the_last_turn_stays_even_without_room(prompts: PromptEncoder) -> None:
    """As long as one token fits; then the engine clamps max_tokens, as it always does."""
    client = EncodingClient(prompts, 300)
    messages = [SYSTEM, *turns(3), {"role": "assistant", "content": "A"}]
    prompt = await made(client, [*messages, {"role": "user", "content": "?" * 200}], DROP, max_tokens=100)
    assert prompt.dropped_turns == 3
    assert 200 < len(prompt.token_ids) < 300
    with pytest.raises(InvalidRequest, match=r"has 3\d\d tokens even without its 3 oldest turns") as error:
        await made(client, [*messages, {"role": "user", "content": "?" * 280}], DROP, max_tokens=1)
    assert error.value.code == "context_length_exceeded"
    assert "the context holds 300" in error.value.message


async def test_a_single_turn_is_the_engines_to_refuse(prompts: PromptEncoder) -> None:
    prompt = await made(EncodingClient(prompts, 100), [SYSTEM, *turns(1)], DROP, max_tokens=100)
    assert prompt.dropped_turns == 0
    prompt = await made(EncodingClient(prompts, 10), [SYSTEM], DROP, max_tokens=100)
    assert prompt.dropped_turns == 0


async def test_the_request_says_more_than_the_server(prompts: PromptEncoder) -> None:
    messages = [SYSTEM, *turns(20)]
    client = EncodingClient(prompts, 400)
    assert (await made(client, messages, DROP, context_policy="refuse")).dropped_turns == 0
    asked = await made(client, messages, ConversationSettings(), context_policy="drop-oldest")
    assert asked.dropped_turns > 0
    every = ConversationSettings(restate_system=2)
    assert (await made(client, messages, every)).restated_system == 9
    assert (await made(client, messages, every, restate_system=0)).restated_system == 0
    assert (await made(client, messages, every, restate_system=5)).restated_system == 3


async def test_the_system_prompt_is_restated_every_so_many_turns(prompts: PromptEncoder) -> None:
    client = EncodingClient(prompts, 4000)
    prompt = await made(client, [SYSTEM, *turns(8)], ConversationSettings(), restate_system=3)
    assert shown(client) == [
        *("s", "Q0", "A0", "Q1", "A1", "Q2", "A2"),
        *("s", "Q3", "A3", "Q4", "A4", "Q5", "A5"),
        *("s", "Q6", "A6", "Q7"),
    ]
    assert prompt.restated_system == 2
    assert client.conversations[-1][7]["content"].endswith("\n\nYou are terse and polite.")


async def test_nothing_to_restate(prompts: PromptEncoder) -> None:
    client = EncodingClient(prompts, 400)
    prompt = await made(client, turns(20), DROP, restate_system=1)
    assert prompt.restated_system == 0
    assert "s" not in shown(client)


async def test_it_is_restated_where_turns_had_to_go(prompts: PromptEncoder) -> None:
    client = EncodingClient(prompts, 900)
    prompt = await made(client, [SYSTEM, *turns(20)], DROP, max_tokens=50, restate_system=1000)
    assert prompt.restated_system == 1
    restated_at = shown(client).index("s", 1)
    assert restated_at > 5  # not next to the system prompt
    assert len(prompt.token_ids) <= 850


@pytest.mark.parametrize("every", [0, 3, 1000])
@pytest.mark.parametrize("seed", range(2))
async def test_a_prompt_is_the_beginning_of_the_next_one(
    prompts: PromptEncoder, seed: int, every: int
) -> None:
    """So the prefix cache has it, but for the few turns at which others have to go."""
    client = EncodingClient(prompts, 2400)
    messages = [SYSTEM, *turns(60, random.Random(seed))]
    before: ChatPrompt | None = None
    found = []
    for last in range(60):
        prompt = await made(client, messages[: 2 + 2 * last], DROP, max_tokens=100, restate_system=every)
        if before is not None:
            found.append(prompt.token_ids[: len(before.token_ids)] == before.token_ids)
            if every and prompt.dropped_turns:
                assert prompt.restated_system > 0
            if prompt.dropped_turns == before.dropped_turns:
                assert found[-1]
        before = prompt
    assert before is not None
    assert before.dropped_turns > 20
    assert sum(found) > 0.7 * len(found)
    again = await made(client, messages, DROP, max_tokens=100, restate_system=every)
    assert again == before


async def test_a_final_message_is_continued(prompts: PromptEncoder) -> None:
    client = EncodingClient(prompts, 400)
    messages = [*turns(20), {"role": "assistant", "content": "I sa"}]
    prompt = await made(client, messages, DROP, continue_final_message=True)
    assert prompt.dropped_turns > 0
    assert prompt.token_ids[-4:] == prompts.encode("I sa")


async def test_a_long_conversation_is_made_beside_the_loop(prompts: PromptEncoder) -> None:
    client = EncodingClient(prompts, 400)
    await made(client, turns(200), DROP)
    [thread] = client.threads
    assert thread.startswith("tokenizer")
