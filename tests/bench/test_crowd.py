"""Answers alone against answers in a crowd: the comparison, over HTTP with a fake engine, in a process."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest
from bench.crowd import Answer, Ask, experiment, first_difference, row, running, started
from bench.peers.chat import Chat, ChatError, chat_prompts
from bench.peers.engines import ENGINES, EngineSpec
from bench.peers.process import EngineError
from tests.serve.fake_client import FakeClient
from tests.serve.live_server import live_server


@pytest.mark.parametrize(
    ("one", "other", "position"),
    [("same", "same", None), ("abcd", "abxd", 2), ("abc", "abcd", 3), ([5, 6], [7, 6], 0), ("", "a", 0)],
)
def test_first_difference(one: Answer, other: Answer, position: int | None) -> None:
    assert first_difference(one, other) == position
    assert first_difference(other, one) == position


def engine(
    answer: Callable[[int, int, int], str],
) -> tuple[Callable[[], AbstractContextManager[Ask]], list[list[int]]]:
    """One whose answer depends on the prompt, on how many are asked at once, and on how many times it was
    asked since its start; and the list of what it is asked."""
    asked: list[list[int]] = []

    @contextmanager
    def start() -> Iterator[Ask]:
        times = 0

        def ask(indices: Sequence[int]) -> list[str]:
            nonlocal times
            times += 1
            asked.append(list(indices))
            return [answer(index, len(indices), times) for index in indices]

        yield ask

    return start, asked


def test_every_prompt_is_asked_alone_in_a_crowd_and_alone_again() -> None:
    start, asked = engine(lambda index, crowd, times: f"answer {index}")
    outcome = experiment(start, 3)
    assert asked == [[0], [1], [2], [0, 1, 2], [0], [1], [2]]
    assert row("engine", "token", outcome) == "| engine | 0 of 3 | – | 0 of 3 |"


def test_answers_that_change_in_a_crowd() -> None:
    start, _ = engine(
        lambda index, crowd, times: "abcd" if crowd == 1 or index == 1 else "abcd"[:index] + "x"
    )
    outcome = experiment(start, 4)
    assert outcome.changed == [0, 2, 3]
    assert row("engine", "character", outcome) == "| engine | 3 of 4 | character 1 | 0 of 4 |"


def test_answers_that_change_by_themselves() -> None:
    start, _ = engine(lambda index, crowd, times: f"{index == 2 and times}")
    assert experiment(start, 4).unsteady == 1


def test_prompts_are_different_and_the_same_again() -> None:
    prompts = chat_prompts(16, 0)
    assert len({*prompts}) == 16
    assert prompts == chat_prompts(16, 0)
    assert not {*prompts} & {*chat_prompts(16, 1)}


def test_a_running_server() -> None:
    client = FakeClient("1234567890", max_context=1000)
    with live_server(client) as server:
        prompts = chat_prompts(4, 0)
        outcome = experiment(lambda: running(server.url, prompts, 7), 4)
        assert (outcome.changed, outcome.unsteady) == ([], 0)
        asked = [messages[0]["content"] for messages in client.conversations[-12:]]
        assert asked[:4] == prompts
        assert sorted(asked[4:8]) == sorted(prompts)
        assert asked[8:] == prompts
        params = client.params[-1]
        assert (params.temperature, params.max_tokens) == (0.0, 7)
        assert Chat(f"{server.url}/v1/", prompts, 7).ask([2]) == ["1234567"]


def test_a_refusal_is_an_error() -> None:
    with live_server(FakeClient()) as server, pytest.raises(ChatError, match=r"answered 400: .*max_tokens"):
        Chat(server.url, ["hello"], -1).ask([0])


@pytest.fixture
def options(tmp_path: Path) -> argparse.Namespace:
    (tmp_path / "models/0.5b").mkdir(parents=True)
    return argparse.Namespace(serve=tmp_path, sequences=3, tokens=8, threads=2)


def test_this_engine_s_server(options: argparse.Namespace, demo_folder: Path) -> None:
    spec = next(spec for spec in ENGINES if spec.name == "wending-int8")
    spec.model_path(options.serve, "0.5b").symlink_to(demo_folder)
    outcome = experiment(partial(started, spec, options, chat_prompts(3, 0)), 3)
    assert (outcome.changed, outcome.unsteady) == ([], 0)


def test_a_server_that_does_not_start(options: argparse.Namespace) -> None:
    spec = next(spec for spec in ENGINES if spec.name == "wending-int8")
    with pytest.raises(EngineError, match=r"wending-int8 did not start; see .*crowd-wending-int8\.log"):
        experiment(partial(started, spec, options, []), 3)


def test_an_engine_without_a_server_is_asked_in_its_process(options: argparse.Namespace) -> None:
    adapter = str(Path(__file__).parent / "scripted_adapter.py")
    spec = EngineSpec("scripted", "Scripted", adapter, None, "model.json", "bf16", 16)
    spec.model_path(options.serve, "0.5b").write_text(json.dumps({"fail": []}))
    with started(spec, options, []) as ask:
        crowd = ask([0, 1, 2])
        assert [len(answer) for answer in crowd] == [8, 8, 8]
        assert [ask([index])[0] for index in range(3)] == crowd
