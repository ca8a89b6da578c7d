from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending import LLM, SamplingParams
from wending.engine.errors import InvalidRequest

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


def test_one_bad_prompt_refuses_all_and_leaves_nothing_behind(llm: LLM) -> None:
    with pytest.raises(InvalidRequest, match="the context holds 64"):
        llm.generate(["fine", "x" * 100], PARAMS)
    assert len(llm.generate("fine", PARAMS)) == 1


@pytest.mark.parametrize("bad", ["Hi", [["Hi"]], [{"role": "user", "content": "Hi"}, "Hi"], None])
def test_what_is_no_conversation_is_refused(llm: LLM, bad: Any) -> None:
    with pytest.raises(InvalidRequest, match="must be a list of messages") as caught:
        llm.chat(bad)
    assert caught.value.field == "messages"


@pytest.mark.parametrize("bad", [None, 3, [3], b"Hi"])
def test_what_is_no_text_is_refused(llm: LLM, bad: Any) -> None:
    with pytest.raises(InvalidRequest, match="must be a string or a list of strings"):
        llm.generate(bad)


def test_an_empty_prompt_is_refused_and_no_prompts_give_no_outputs(llm: LLM) -> None:
    with pytest.raises(InvalidRequest, match="must not be empty"):
        llm.generate("")
    assert llm.generate([]) == []


def test_an_interrupt_leaves_the_engine_usable(llm: LLM, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(llm._engine, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            llm.generate(["one", "two"], PARAMS)
    assert llm._engine.stats().running == llm._engine.stats().waiting == 0
    assert len(llm.generate("one", PARAMS)) == 1


def test_the_bundled_model_answers(demo_folder: Path) -> None:
    if not (demo_folder / "config.json").is_file():
        pytest.skip("there is no bundled checkpoint")
    answer = LLM().chat([{"role": "user", "content": "Hello!"}], SamplingParams(temperature=0, max_tokens=40))
    assert answer[0].outputs[0].text.strip()
