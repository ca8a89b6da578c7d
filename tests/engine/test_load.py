from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.published_checkpoints import write_gguf
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending import _kernels, demo
from wending.engine.budget import MemoryBudget
from wending.engine.errors import ContextNotAvailable, NotEnoughMemory
from wending.engine.grammar.memory import grammar_bytes
from wending.engine.load import load_engine
from wending.engine.process_client import load_client
from wending.engine.sampling_params import SamplingParams
from wending.model.errors import CheckpointError
from wending.model.threads import threads_in_use
from wending.model.weight_cache import WeightCache


@pytest.fixture(scope="module", params=["bfloat16", "float16", "float32"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "some-model"
    return write_random_checkpoint(folder, small_config(), dtype=request.param)


def test_the_plan_is_what_is_then_taken(folder: Path) -> None:
    loaded = load_engine(folder)
    model, cache = loaded.engine.model, loaded.engine.cache
    assert loaded.budget.weights == model.weight_bytes
    assert loaded.budget.kv_cache == cache.nbytes
    assert loaded.budget.kv_tokens == 4 * 4096
    sampling = 4 * (64 + 3 * min(threads_in_use(), 64)) * model.config.vocab_size
    assert loaded.budget.workspace == model.workspace_bytes(512) + sampling + (8 << 20)
    assert loaded.budget.grammars == grammar_bytes(280)
    assert loaded.info.precision == model.precision.name
    assert cache.dtype == model.precision.cache


def test_describes_the_checkpoint(folder: Path) -> None:
    info = load_engine(folder).info
    assert (info.name, info.max_context, info.vocab_size, info.is_demo) == ("some-model", 4096, 280, False)
    assert info.generation_config.eos_token_ids == (260, 258)


def test_tells_the_plan_before_it_loads_and_then_its_progress(folder: Path) -> None:
    told: list[str] = []
    steps: list[tuple[int, int]] = []

    def on_budget(budget: MemoryBudget) -> None:
        told.append("budget")
        assert budget.total > 0

    def progress(done: int, total: int) -> None:
        told.append("progress")
        steps.append((done, total))

    load_engine(folder, on_budget=on_budget, progress=progress)
    assert told[0] == "budget"
    assert told.count("budget") == 1
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]


def test_options_shape_context_precision_and_threads(folder: Path) -> None:
    before = _kernels.threads()
    try:
        loaded = load_engine(folder, max_context=100, quant="f32", threads=1)
        assert _kernels.threads() == 1
    finally:
        _kernels.set_threads(before)
    assert loaded.info.max_context == loaded.engine.max_context == 100
    assert loaded.info.precision == "f32"
    with pytest.raises(ValueError, match="threads must be at least 1"):
        load_engine(folder, threads=0)


def test_the_context_asked_for_chooses_the_positions(folder: Path) -> None:
    own, native, stretched = (load_engine(folder, max_context=context) for context in (None, 4096, 4097))
    assert own.info.positions == native.info.positions == "native RoPE, to 4,096"
    assert stretched.info.positions == "YaRN x4, to 16,384"
    assert stretched.info.max_context == stretched.budget.max_context == 4097
    assert (stretched.budget.model_context, stretched.budget.yarn_factor) == (16384, 4.0)
    assert stretched.engine.model.config.rope_scaling is not None
    with pytest.raises(ContextNotAvailable, match=r"max_context must be 2 to 16384.*got 16385"):
        load_engine(folder, max_context=16385)


def test_positions_do_not_depend_on_how_much_memory_is_free(tmp_path: Path) -> None:
    """Where the context is shortened for want of memory, even below the native length, YaRN stays."""
    scaling = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096}
    config = small_config(max_position_embeddings=16384, rope_scaling=scaling)
    folder = write_random_checkpoint(tmp_path / "model", config)
    room = load_engine(folder).budget
    memory = room.total - room.kv_cache + room.kv_cache // 32
    short = load_engine(folder, memory=memory, quant="bf16")
    assert short.info.max_context == 2048
    assert short.info.positions == "YaRN x4, to 16,384"
    with pytest.raises(NotEnoughMemory, match=r"KV cache of 2,049 tokens"):
        load_engine(folder, memory=short.budget.total, quant="bf16", max_context=2049)


def test_the_kv_cache_goes_with_the_weights_or_as_asked(folder: Path) -> None:
    assert load_engine(folder, quant="f32").info.kv_precision == "f32"
    assert load_engine(folder, quant="int4").info.kv_precision == "bf16"
    plain, small = load_engine(folder, quant="int8"), load_engine(folder, quant="int8", kv_cache="int8")
    assert small.engine.cache.dtype == "int8"
    assert small.info.kv_precision == small.budget.kv_precision == "int8"
    assert small.budget.kv_tokens == plain.budget.kv_tokens
    # In heads of 16 a scale of 2 bytes comes to 16 codes of 1.
    assert small.budget.kv_cache * 32 == plain.budget.kv_cache * 18
    assert any("int8," in line for line in small.budget.lines())
    assert any("int8，" in line for line in small.budget.lines("zh"))
    with pytest.raises(ValueError, match="kv_cache must be auto, bf16, f32, int8; is 'int4'"):
        load_engine(folder, kv_cache="int4")  # type: ignore[arg-type]


def test_weights_are_quantised_when_they_would_not_fit(folder: Path) -> None:
    whole = load_engine(folder, quant="f32").budget
    # Room for one context of full length; the cache of quantised weights is kept in BF16.
    fixed = whole.workspace + whole.grammars + load_engine(folder, quant="int8").budget.kv_cache // 4

    def chosen(memory: int) -> str:
        return load_engine(folder, memory=memory).info.precision

    sizes = {name: load_engine(folder, quant=name).budget.weights for name in ("bf16", "int8", "int4")}
    assert sizes["bf16"] > sizes["int8"] > sizes["int4"]
    assert chosen(whole.total) in ("bf16", "f32")
    assert chosen(fixed + (sizes["int8"] + sizes["bf16"]) // 2) == "int8"
    assert chosen(fixed + (sizes["int4"] + sizes["int8"]) // 2) == "int4"
    with pytest.raises(NotEnoughMemory):
        load_engine(folder, memory=fixed // 4)


def test_quantised_weights_come_from_the_cache_the_second_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENDING_CACHE", str(tmp_path))
    monkeypatch.setattr(WeightCache.__init__, "__defaults__", (1 << 30, 0))
    found = [load_engine(folder, quant="int8", cache=cache) for cache in (False, True, True, False)]
    assert [loaded.info.weights_from_cache for loaded in found] == [False, False, True, False]
    assert {loaded.budget.weights for loaded in found} == {found[0].engine.model.weight_bytes}


def test_refuses_what_does_not_fit_before_loading(folder: Path) -> None:
    steps: list[int] = []
    with pytest.raises(NotEnoughMemory, match=r"allowed 0\.0 MiB"):
        load_engine(folder, memory=1, progress=lambda done, total: steps.append(done))
    assert steps == []


def test_refuses_a_tokenizer_larger_than_the_model(tmp_path: Path) -> None:
    folder = write_random_checkpoint(tmp_path / "model", small_config(vocab_size=279))
    with pytest.raises(CheckpointError, match=r"has 280 tokens, but config\.json says vocab_size 279"):
        load_engine(folder)


def test_end_of_sequence_ids_come_from_both_files(tmp_path: Path) -> None:
    folder = write_random_checkpoint(tmp_path / "model", small_config(eos_token_id=97))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [98]}))
    engine = load_engine(folder).engine
    for token_id in (97, 98):
        params = SamplingParams(temperature=0, logit_bias={token_id: 100.0}, max_tokens=5)
        engine.add_request("r", [1], params)
        assert [delta.finish_reason for _, delta in engine.step()] == ["stop"]


async def test_a_client_is_ready_to_be_started(folder: Path) -> None:
    client = load_client(folder)
    await client.start()
    prompt = client.encode_chat([{"role": "user", "content": "Hi"}])
    deltas = [delta async for delta in client.generate(prompt, SamplingParams(max_tokens=3), "r")]
    assert deltas[-1].finish_reason is not None
    await client.close()


def test_the_bundled_checkpoint_is_named_as_the_demonstration_model(demo_folder: Path) -> None:
    if not (demo_folder / "config.json").is_file():
        pytest.skip("there is no bundled checkpoint")
    info = load_engine().info
    assert (info.name, info.is_demo) == (demo.NAME, True)


@pytest.mark.parametrize("kind", ["Q4_0", "Q8_0", "BF16"])
def test_a_gguf_file_alone_is_enough(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("gguf")
    write_gguf(tmp_path / "some-model.gguf", lambda _: kind, {"general.file_type": None})
    loaded = load_engine(tmp_path / "some-model.gguf")
    precision = {"Q4_0": "int4 (GGUF Q4_0)", "Q8_0": "int8 (GGUF Q8_0)", "BF16": "bf16"}[kind]
    assert (loaded.info.name, loaded.info.precision, loaded.info.vocab_size) == ("some-model", precision, 280)
    assert loaded.budget.weights == loaded.engine.model.weight_bytes
    assert loaded.budget.precision == precision
    assert loaded.info.generation_config.eos_token_ids == (260, 258)
    loaded.engine.add_request("r", loaded.prompts.encode("hello"), SamplingParams(max_tokens=3))
    assert [delta for _, delta in loaded.engine.step()]


def test_published_bits_are_not_rounded_again_to_save_little(tmp_path: Path) -> None:
    """A model of 8 bits may become one of 4 where memory is short; one of 4 bits stays as it is."""
    pytest.importorskip("gguf")
    for kind in ("Q8_0", "Q4_0"):
        write_gguf(tmp_path / f"{kind}.gguf", lambda _, kind=kind: kind, {"general.file_type": None})
    budget = load_engine(tmp_path / "Q8_0.gguf").budget
    fixed = budget.workspace + budget.grammars + budget.kv_cache // 4

    def chosen(kind: str, memory: int) -> str:
        return load_engine(tmp_path / f"{kind}.gguf", memory=memory).info.precision

    assert chosen("Q8_0", budget.total) == "int8 (GGUF Q8_0)"
    assert chosen("Q8_0", fixed + budget.weights * 3 // 4) == "int4"
    least = load_engine(tmp_path / "Q4_0.gguf").budget.weights
    assert chosen("Q4_0", fixed + least) == "int4 (GGUF Q4_0)"
