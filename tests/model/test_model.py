"""The forward pass as a whole: what company, chunks and threads must not change, and what is refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.model.forward import batch_of, logits_of, new_cache
from tests.random_checkpoint import parameter_shapes, small_config, write_random_checkpoint

from wending import _kernels
from wending.model import fill
from wending.model.errors import CheckpointError
from wending.model.kv_cache import KVCache
from wending.model.model import Model

SHAPE = {"hidden_size": 448, "num_attention_heads": 14, "intermediate_size": 300, "vocab_size": 333}


@pytest.fixture(scope="module", params=["bfloat16", "float32"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("checkpoint")
    return Model.load(write_random_checkpoint(folder, small_config(**SHAPE), dtype=request.param))


@pytest.fixture(params=_kernels.available_instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    before = _kernels.instruction_set()
    _kernels.use_instruction_set(request.param)
    yield request.param
    _kernels.use_instruction_set(before)


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = _kernels.threads()
    _kernels.set_threads(request.param)
    yield request.param
    _kernels.set_threads(before)


def ids(length: int, seed: int = 0) -> list[int]:
    return [int(token) for token in np.random.default_rng(seed).integers(0, 320, length)]


def test_batched_equals_alone_bit_for_bit(model: Model, instruction_set: str, threads: int) -> None:
    """Six sequences, prefilled in uneven chunks beside decoding ones, against each by itself."""
    sequences = [ids(length, seed=length) for length in (3, 40, 17, 1, 90, 64)]
    cache = KVCache(model.config, 64, 16)
    blocks = np.random.default_rng(1).permutation(64).astype(np.int32).reshape(8, 8)
    done = [0] * len(sequences)
    found: list[list[np.ndarray]] = [[] for _ in sequences]
    sizes = np.random.default_rng(2)
    while any(count < len(sequence) for count, sequence in zip(done, sequences, strict=True)):
        running = [i for i, sequence in enumerate(sequences) if done[i] < len(sequence)]
        taken = [int(sizes.integers(1, 30)) for _ in running]
        parts = [
            (sequences[i][done[i] : done[i] + n], done[i], blocks[i])
            for i, n in zip(running, taken, strict=True)
        ]
        logits = model.forward(batch_of(parts), cache)
        first = 0
        for i, (part, _, _) in zip(running, parts, strict=True):
            found[i].append(logits[first : first + len(part)])
            first += len(part)
            done[i] += len(part)
    _kernels.set_threads(1)
    for sequence, pieces in zip(sequences, found, strict=True):
        alone = logits_of(model, sequence, dtype="bfloat16")
        assert np.array_equal(np.concatenate(pieces), alone)


def test_chunks_do_not_matter(model: Model) -> None:
    whole = logits_of(model, ids(130))
    for chunk in (1, 7, 64, 100):
        assert np.array_equal(logits_of(model, ids(130), chunk), whole)


def test_block_size_does_not_matter(model: Model) -> None:
    whole = logits_of(model, ids(130))
    for block_size in (32, 48, 128):
        assert np.array_equal(logits_of(model, ids(130), chunk=50, block_size=block_size), whole)


def test_only_the_logits_asked_for(model: Model) -> None:
    cache, table = new_cache(model, 20)
    batch = batch_of([(ids(20), 0, table)])
    everything = model.forward(batch, cache)
    batch.logit_rows = np.array([19, 3], np.int32)
    assert np.array_equal(model.forward(batch, cache), everything[[19, 3]])
    batch.logit_rows = np.array([], np.int32)
    assert model.forward(batch, cache).shape == (0, 333)


def test_logits_stay_when_the_next_pass_runs(model: Model) -> None:
    cache, table = new_cache(model, 20)
    first = model.forward(batch_of([(ids(20), 0, table)]), cache)
    kept = first.copy()
    model.forward(batch_of([(ids(20, seed=1), 0, table)]), cache)
    assert np.array_equal(first, kept)


def test_instruction_sets_agree(model: Model, instruction_set: str) -> None:
    best = _kernels.available_instruction_sets()[0]
    found = logits_of(model, ids(100))
    _kernels.use_instruction_set(best)
    expected = logits_of(model, ids(100))
    # One of them rounds activations to BF16, if the weights are; otherwise all do the same arithmetic.
    limit = 1e-2 if instruction_set != best == "avx512_bf16" and model.precision.name == "bf16" else 1e-5
    assert np.linalg.norm(found - expected) < limit * np.linalg.norm(expected)


def test_what_lies_outside_is_refused(model: Model) -> None:
    cache, table = new_cache(model, 20)
    batch = batch_of([(ids(20), 0, table)])
    batch.token_ids[4] = 333
    with pytest.raises(ValueError, match="token id 333 is outside 0 to 332"):
        model.forward(batch, cache)
    batch.token_ids[4], batch.slots[2] = 0, 64
    with pytest.raises(ValueError, match="slot 64 is outside 0 to 63"):
        model.forward(batch, cache)


def test_knows_its_memory(model: Model) -> None:
    item = 2 if model.precision.name == "bf16" else 4
    shapes = parameter_shapes(small_config(**SHAPE)).values()
    exact = sum(int(np.prod(shape)) * (item if len(shape) == 2 else 4) for shape in shapes)
    assert exact <= model.weight_bytes < 1.05 * exact  # the last panel of each matrix is filled up
    assert model.workspace_bytes(200) == 2 * model.workspace_bytes(100) > 4 * 100 * 448


def test_loading_reports_progress(tmp_path: Path) -> None:
    write_random_checkpoint(tmp_path, small_config(), dtype="bfloat16", shards=2)
    seen: list[tuple[int, int]] = []
    Model.load(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    stored = sum(file.stat().st_size for file in tmp_path.glob("*.safetensors"))
    assert {total for _, total in seen} == {seen[-1][0]}
    assert seen[-1][0] == pytest.approx(stored, rel=0.05)


@pytest.mark.parametrize("stored", ["bfloat16", "float16", "float32"])
def test_loading_gives_back_what_it_has_read(
    tmp_path: Path, stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the mapped files of 10 or 20 MB, no more than a part and its surroundings is ever in memory."""
    if not Path("/proc/self/smaps").exists():
        pytest.skip("the system does not tell what of a mapping is in memory")
    monkeypatch.setattr(fill, "VALUES_AT_ONCE", 1 << 14)
    config = small_config(vocab_size=50000, tie_word_embeddings=False)
    write_random_checkpoint(tmp_path, config, dtype=stored, shards=3)
    present: list[int] = []
    model = Model.load(tmp_path, "int8", lambda done, total: present.append(mapped_bytes(tmp_path)))
    assert len(present) > 20
    # The tensor being read counts, and the system maps up to 2 MiB at once around what is touched.
    assert max(present) < 3 * (2 << 20) + (1 << 16)
    monkeypatch.setattr(fill, "VALUES_AT_ONCE", 1 << 30)
    assert np.array_equal(logits_of(model, ids(30)), logits_of(Model.load(tmp_path, "int8"), ids(30)))


def mapped_bytes(folder: Path) -> int:
    """What is in memory of the mapped files of a folder."""
    total, is_there = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        field, _, rest = line.partition(":")
        if "-" in field:
            is_there = str(folder) in line
        elif field == "Rss" and is_there:
            total += 1024 * int(rest.split()[0])
    return total


@pytest.mark.parametrize(
    ("stored", "asked", "loaded"),
    [
        ("bfloat16", "auto", "bf16"),
        ("float32", "auto", "f32"),
        ("float16", "auto", "f32"),
        ("bfloat16", "f32", "f32"),
        ("float32", "bf16", "bf16"),
    ],
)
def test_precision_of_the_weights(tmp_path: Path, stored: str, asked: str, loaded: str) -> None:
    write_random_checkpoint(tmp_path, small_config(), dtype=stored)
    model = Model.load(tmp_path, asked)  # type: ignore[arg-type]
    assert model.precision.name == loaded
    if (stored, loaded) == ("bfloat16", "f32"):  # widening is exact; BF16 weights may round activations
        difference = logits_of(model, ids(30)) - logits_of(Model.load(tmp_path), ids(30))
        assert np.linalg.norm(difference) < 1e-2 * np.linalg.norm(logits_of(model, ids(30)))


def test_what_cannot_be_loaded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: cannot be read"):
        Model.load(tmp_path)
    with pytest.raises(ValueError, match="quant must be auto, bf16, f32, int8, int4; is 'int3'"):
        Model.load(tmp_path, "int3")  # type: ignore[arg-type]


def test_a_forward_pass_leaves_nothing_behind(model: Model) -> None:
    cache, table = new_cache(model, 20)
    batch = batch_of([(ids(20), 0, table)])
    model.forward(batch, cache)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(200):
        model.forward(batch, cache)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 10_000


def test_logits_stay_what_they_are_while_they_are_held(model: Model) -> None:
    cache, table = new_cache(model, 20)
    first = model.forward(batch_of([(ids(20), 0, table)]), cache)
    kept = first.copy()
    second = model.forward(batch_of([(ids(20)[::-1], 0, table)]), cache)
    assert np.array_equal(first, kept)
    assert not np.array_equal(first, second)
    place = second.ctypes.data
    del second
    assert model.forward(batch_of([(ids(15), 0, table)]), cache).ctypes.data == place
