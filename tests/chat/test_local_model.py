from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending.chat.answerer import AnswerFailed
from wending.chat.local_model import LocalModel
from wending.engine.errors import InvalidRequest
from wending.engine.llm import LLM
from wending.engine.sampling_params import SamplingParams

QUESTION = [{"role": "user", "content": "Hello 你好"}]


@pytest.fixture(scope="module")
def llm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLM]:
    folder = tmp_path_factory.mktemp("checkpoints") / "Random-Qwen2"
    with LLM(write_random_checkpoint(folder, small_config()), max_context=400) as llm:
        yield llm


def test_streams_what_the_model_says(llm: LLM) -> None:
    model = LocalModel(llm, 0)
    pieces: list[str] = []
    reason = model.answer(QUESTION, pieces.append)
    [expected] = llm.chat(QUESTION, SamplingParams(temperature=0))
    assert model.name == "Random-Qwen2"
    assert "".join(pieces) == expected.outputs[0].text
    assert reason == expected.outputs[0].finish_reason


def test_a_conversation_longer_than_the_context(llm: LLM) -> None:
    with pytest.raises(AnswerFailed, match="400"):
        LocalModel(llm, 0).answer([{"role": "user", "content": "长" * 500}], print)


def test_ctrl_c_stops_the_answer_and_leaves_the_engine_in_order(llm: LLM) -> None:
    model = LocalModel(llm, 0)
    pieces: list[str] = []

    def interrupt_at_the_third(text: str) -> None:
        pieces.append(text)
        if len(pieces) == 3:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        model.answer(QUESTION, interrupt_at_the_third)
    assert len(pieces) == 3
    assert signal.getsignal(signal.SIGINT) is before
    again: list[str] = []
    model.answer(QUESTION, again.append)
    assert again[:3] == pieces


def test_a_temperature_that_cannot_be(llm: LLM) -> None:
    with pytest.raises(InvalidRequest, match="temperature"):
        LocalModel(llm, -1)
