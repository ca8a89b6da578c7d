from __future__ import annotations

from array import array
from pathlib import Path

import msgspec
import pytest
from tests.engine.fakes import GREEDY

from wending.engine.budget import plan_memory
from wending.engine.channel import command_decoder, report_decoder
from wending.engine.client import CompletionDelta, EngineStats, ModelInfo, TokenLogprob, TopLogprob
from wending.engine.errors import CheckpointError, EngineDead, InvalidRequest, NotEnoughMemory
from wending.engine.messages import (
    PROTOCOL_VERSION,
    Abort,
    Command,
    Failed,
    Hello,
    LoadFailed,
    Loading,
    Planned,
    Ready,
    Refused,
    Report,
    Step,
    Stop,
    Taken,
    add_message,
    load_message,
)
from wending.engine.progress import Progress
from wending.engine.sampling_params import SamplingParams
from wending.engine.urgency import Urgency
from wending.model.generation_config import GenerationConfig

BUDGET = plan_memory(
    weights=10**6, workspace=10**5, kv_bytes_per_token=64, model_context=4096, block_size=16, available=10**9
)
INFO = ModelInfo("name", 4096, 280, 1, False, "int4 (GPTQ)", GenerationConfig((260, 258), 0.7))
PARAMS = SamplingParams(
    temperature=0.5,
    logit_bias={7: -1.5},
    seed=2**64 - 1,
    stop=("稳", "b"),
    stop_token_ids=(5,),
    n=2,
    logprobs=3,
    min_tokens=4,
)
LOGPROB = TokenLogprob(7, "a\ufffd", [97, 0xE7], -0.1, [TopLogprob(7, "a", [97], -0.1 - 2**-52)])
DELTAS = [
    CompletionDelta(
        0, "text 稳 👋", [7], [LOGPROB], None, seed=2**63, cached_tokens=16, hidden_state=b"\0\1"
    ),
    CompletionDelta(1, "", [], None, "error", "why", "non_finite_logits", -5),
]
STATS = EngineStats(1, 2, 3, 4, 5, 6.25, error=None)


@pytest.mark.parametrize(
    "command",
    [
        Hello(),
        load_message(Path("/some/model"), quant="int8", kv_cache="int8", gap_s=0.25),
        load_message(None, budget=BUDGET),
        add_message(
            "1/1", array("i", [1, 2, 3]), PARAMS, Urgency(-3, 1.5), [Progress([1, 2], True), Progress()]
        ),
        Abort("1/1"),
        Stop(),
    ],
    ids=lambda command: type(command).__name__,
)
def test_commands_arrive_as_they_were_sent(command: Command) -> None:
    assert command_decoder.decode(msgspec.msgpack.encode(command)) == command


@pytest.mark.parametrize(
    "report",
    [
        Hello(),
        Planned(BUDGET),
        Loading(1, 2**40),
        Ready(INFO, BUDGET),
        LoadFailed("ValueError", "why"),
        Step([("1/1", DELTAS[0]), ("2/1", DELTAS[1])], STATS),
        Refused("1/1", "prompt", "is too long", "context_length_exceeded"),
        Taken("1/1"),
        Failed("MemoryError: no room"),
    ],
    ids=lambda report: type(report).__name__,
)
def test_reports_arrive_as_they_were_sent(report: Report) -> None:
    assert report_decoder.decode(msgspec.msgpack.encode(report)) == report


def test_a_request_arrives_with_its_progress() -> None:
    add = add_message("1/1", array("i", [1, 2, 3]), GREEDY, None, [Progress([4, 5]), Progress((), True)])
    assert add.prompt == array("i", [1, 2, 3])
    assert add.progress == [Progress(array("i", [4, 5])), Progress(array("i"), True)]
    assert add_message("1/1", array("i", [1]), GREEDY).progress == []


def test_another_version_is_refused_with_both() -> None:
    Hello().check()
    with pytest.raises(EngineDead, match=f"version 99 .* version {PROTOCOL_VERSION}"):
        Hello(99).check()


@pytest.mark.parametrize("report", ["", 5, [0], [99, 1], [9, []]])
def test_what_is_no_message_is_refused(report: object) -> None:
    if report == [0]:
        assert report_decoder.decode(msgspec.msgpack.encode(report)) == Hello()
        return
    with pytest.raises(msgspec.DecodeError):
        report_decoder.decode(msgspec.msgpack.encode(report))


@pytest.mark.parametrize(
    "error",
    [
        CheckpointError("/some/file", "is damaged"),
        NotEnoughMemory("not enough memory: 1 of 2 GiB"),
        MemoryError("no room"),
        OSError("no such device"),
        ValueError("threads must be at least 1, is 0"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_goes_wrong_in_loading_is_raised_again(error: Exception) -> None:
    failed = LoadFailed.of(error)
    assert failed.is_expected
    assert type(failed.error()) is type(error)
    assert str(failed.error()) == str(error)


def test_kinds_of_expected_errors_are_expected_and_others_are_not() -> None:
    assert str(LoadFailed.of(PermissionError(13, "no", "/file")).error()) == "[Errno 13] no: '/file'"
    unexpected = LoadFailed.of(KeyError("name"))
    assert not unexpected.is_expected
    assert isinstance(unexpected.error(), EngineDead)
    assert "KeyError: 'name'" in str(unexpected.error())


def test_a_refusal_is_raised_again() -> None:
    error = Refused.of("1/1", InvalidRequest("prompt", "is too long", "code")).error()
    assert (error.field, error.message, error.code) == ("prompt", "is too long", "code")
