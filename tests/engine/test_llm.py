from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending import LLM, SamplingParams
from wending.engine.errors import EngineDead, InvalidRequest
from wending.engine.llm import CompletionOutput, PromptDelta

PARAMS = SamplingParams(temperature=0, max_tokens=6, seed=0)


@pytest.fixture(scope="module")
def llm(tmp_path_factory: pytest.TempPathFactory) -> LLM:
    folder = write_random_checkpoint(tmp_path_factory.mktemp("checkpoint") / "model", small_config())
    return LLM(folder, max_context=64)


def test_one_output_for_each_prompt_in_order(llm: LLM) -> None:
    prompts = ["one", "two", "稳定", "four"]
    together = llm.generate(prompts, PARAMS)
    assert together == [llm.generate(prompt, PARAMS)[0] for prompt in prompts]
    assert len(together[0].prompt_token_ids) == 3
    assert all(1 <= len(output.outputs[0].token_ids) <= 6 for output in together)
    assert all(output.outputs[0].finish_reason in ("stop", "length") for output in together)


def test_chat_takes_one_conversation_or_several(llm: LLM) -> None:
    one = [{"role": "user", "content": "Hi"}]
    two = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    assert llm.chat([one, two], PARAMS) == [*llm.chat(one, PARAMS), *llm.chat(two, PARAMS)]
    assert len(llm.chat(one, PARAMS)) == 1


def test_hidden_state_of_who_asks_for_it(llm: LLM) -> None:
    states = []
    for pooling in ("last", "mean"):
        (output,) = llm.generate("Hi", replace(PARAMS, hidden_state=pooling))
        states.append(output.outputs[0].hidden_state)
        assert states[-1] is not None
        assert len(states[-1]) == 4 * small_config()["hidden_size"]
    assert states[0] != states[1]
    assert llm.generate("Hi", PARAMS)[0].outputs[0].hidden_state is None


def test_several_completions_with_logprobs_and_seed(llm: LLM) -> None:
    params = SamplingParams(n=2, seed=5, max_tokens=4, logprobs=1, ignore_eos=True)
    (output,) = llm.generate("Hi", params)
    assert [completion.index for completion in output.outputs] == [0, 1]
    for completion in output.outputs:
        assert completion.seed == 5
        assert completion.logprobs is not None
        assert [entry.token_id for entry in completion.logprobs] == completion.token_ids
    assert output.outputs[0].token_ids != output.outputs[1].token_ids


def test_default_parameters_sample_with_a_seed_that_repeats_the_answer(llm: LLM) -> None:
    first = llm.generate("Hi")[0].outputs[0]
    again = llm.generate("Hi", SamplingParams(seed=first.seed))[0].outputs[0]
    assert again == first


def test_a_completion_of_8192_tokens(tmp_path: Path) -> None:
    folder = write_random_checkpoint(tmp_path / "model", small_config())
    with LLM(folder, max_context=9000) as own:
        params = SamplingParams(temperature=1, seed=3, max_tokens=8192, ignore_eos=True)
        [completion] = own.generate("Hi", params)[0].outputs
    assert len(completion.token_ids) == 8192
    assert completion.finish_reason == "length"


def test_one_bad_prompt_refuses_all_and_leaves_nothing_behind(llm: LLM) -> None:
    with pytest.raises(InvalidRequest, match="the context holds 64"):
        llm.generate(["fine", "x" * 100], PARAMS)
    assert len(llm.generate("fine", PARAMS)) == 1


@pytest.mark.parametrize("bad", ["Hi", [["Hi"]], [{"role": "user", "content": "Hi"}, "Hi"], None])
def test_what_is_no_conversation_is_refused(llm: LLM, bad: Any) -> None:
    with pytest.raises(InvalidRequest, match="must be a list of messages") as caught:
        llm.chat(bad)
    assert caught.value.field == "messages"


@pytest.mark.parametrize("bad", [None, 3, [None], ["fine", 3], [[1], [True]], b"Hi"])
def test_what_is_no_prompt_is_refused(llm: LLM, bad: Any) -> None:
    with pytest.raises(InvalidRequest, match="must be text"):
        llm.generate(bad)


def test_token_ids_are_prompts_too(llm: LLM) -> None:
    (text,) = llm.generate("Hi", PARAMS)
    assert llm.generate(text.prompt_token_ids, PARAMS) == [text]
    assert llm.generate([text.prompt_token_ids, "Hi"], PARAMS) == [text, text]


def test_each_prompt_may_have_parameters_of_its_own(llm: LLM) -> None:
    other = replace(PARAMS, temperature=1.0, seed=4, max_tokens=3, n=2)
    assert llm.generate(["one", "two"], [PARAMS, other]) == [
        *llm.generate("one", PARAMS),
        *llm.generate("two", other),
    ]
    with pytest.raises(InvalidRequest, match="there are 2 prompts and 1 SamplingParams"):
        llm.generate(["one", "two"], [PARAMS])


def gathered(deltas: Iterable[PromptDelta], count: int, n: int = 1) -> list[list[CompletionOutput]]:
    outputs = [[CompletionOutput(index) for index in range(n)] for _ in range(count)]
    for prompt, delta in deltas:
        outputs[prompt][delta.index].add(delta)
    return outputs


def test_a_stream_brings_what_the_list_brings(llm: LLM) -> None:
    prompts = ["one", "two", "稳定"]
    params = replace(PARAMS, temperature=1.0, seed=3, n=2, logprobs=1)
    whole = [output.outputs for output in llm.generate(prompts, params)]
    assert gathered(llm.generate(prompts, params, stream=True), 3, 2) == whole
    one = [{"role": "user", "content": "Hi"}]
    assert gathered(llm.chat([one], PARAMS, stream=True), 1) == [llm.chat(one, PARAMS)[0].outputs]


def test_a_stream_that_is_left_early_leaves_nothing_behind(llm: LLM) -> None:
    deltas = llm.generate(["one", "two"], PARAMS, stream=True)
    next(deltas)
    with pytest.raises(RuntimeError, match="an earlier stream of this LLM is not finished"):
        llm.generate("three", PARAMS)
    deltas.close()
    assert len(llm.generate("three", PARAMS)) == 1


def test_a_stream_refuses_before_its_first_delta(llm: LLM) -> None:
    with pytest.raises(InvalidRequest, match="prompt 1: prompt: has 100 tokens"):
        llm.generate(["fine", "x" * 100], PARAMS, stream=True)


def test_more_prompts_than_run_at_once_wait_for_their_turn(llm: LLM) -> None:
    prompts = [f"number {i}" for i in range(150)]
    together = llm.generate(prompts, PARAMS)
    assert together[149] == llm.generate(prompts[149], PARAMS)[0]
    assert [len(output.outputs) for output in together] == [1] * 150


def test_a_progress_bar_goes_to_standard_error(llm: LLM, capfd: pytest.CaptureFixture[str]) -> None:
    llm.generate(["one", "two"], PARAMS)
    llm.generate(["one", "two"], PARAMS, progress=True)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("2/2") == 1


def test_after_close_it_refuses(tmp_path: Path) -> None:
    with LLM(write_random_checkpoint(tmp_path / "model", small_config()), max_context=64) as own:
        assert len(own.generate("Hi", PARAMS)) == 1
    own.close()
    with pytest.raises(EngineDead, match="the LLM was closed"):
        own.generate("Hi", PARAMS)


def test_an_empty_prompt_is_refused_and_no_prompts_give_no_outputs(llm: LLM) -> None:
    with pytest.raises(InvalidRequest, match="must not be empty"):
        llm.generate("")
    assert llm.generate([]) == []


def test_an_interrupt_leaves_the_engine_usable(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(llm._open().engine, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            llm.generate(["one", "two"], PARAMS)
    assert llm._open().engine.stats().running == llm._open().engine.stats().waiting == 0
    assert len(llm.generate("one", PARAMS)) == 1


def test_the_bundled_model_answers(demo_folder: Path) -> None:
    if not (demo_folder / "config.json").is_file():
        pytest.skip("there is no bundled checkpoint")
    answer = LLM().chat([{"role": "user", "content": "Hello!"}], SamplingParams(temperature=0, max_tokens=40))
    assert answer[0].outputs[0].text.strip()
