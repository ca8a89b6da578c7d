"""Packed weights on the disk: the same model, bit for bit; whatever goes wrong costs a warning at most."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.kernels.arrays import normal
from tests.model.forward import logits_of
from tests.random_checkpoint import small_config, write_random_checkpoint

from wending import _kernels
from wending.model import packed_file, weight_cache
from wending.model.content_digest import state_of
from wending.model.errors import CheckpointError
from wending.model.model import Model
from wending.model.weight_cache import WeightCache, default_folder, default_limit

ROOT = Path(__file__).parent.parent.parent
IDS = list(range(1, 40))
FORMATS = [
    ("int8", 32, False),
    ("int8", 64, False),
    *(("int4", group, offsets) for group in (32, 64, 128) for offsets in (False, True)),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_random_checkpoint(tmp_path / "some-model", small_config(), shards=2)


@pytest.fixture
def cache(tmp_path: Path) -> WeightCache:
    return WeightCache(tmp_path / "cache", smallest=0)


def only_file(cache: WeightCache) -> Path:
    [entry] = cache.files()
    assert [path.suffix for path in cache.folder.glob("*.p*")] == [".packed"]
    return entry.path


@pytest.mark.parametrize("quant", ["int8", "int4"])
@pytest.mark.parametrize("tied", [True, False])
def test_cold_equals_warm_bit_for_bit(tmp_path: Path, cache: WeightCache, quant: str, tied: bool) -> None:
    folder = write_random_checkpoint(tmp_path / "model", small_config(tie_word_embeddings=tied))
    plain, cold, warm = (Model.load(folder, quant, cache=kept) for kept in (None, cache, cache))  # type: ignore[arg-type]
    assert [model.is_from_cache for model in (plain, cold, warm)] == [False, False, True]
    assert plain.weight_bytes == cold.weight_bytes == warm.weight_bytes
    expected = logits_of(plain, IDS)
    assert np.array_equal(logits_of(cold, IDS), expected)
    assert np.array_equal(logits_of(warm, IDS), expected)
    shutil.rmtree(cache.folder)  # a model in memory does not need the file's name any more
    assert np.array_equal(logits_of(warm, IDS), expected)


def test_panels_do_not_depend_on_the_instruction_set(folder: Path, cache: WeightCache) -> None:
    best = _kernels.instruction_set()
    contents = []
    for name in _kernels.available_instruction_sets():
        _kernels.use_instruction_set(name)
        try:
            assert not Model.load(folder, "int4", cache=cache).is_from_cache
        finally:
            _kernels.use_instruction_set(best)
        contents.append(only_file(cache).read_bytes())
        cache.clear()
    assert len(set(contents)) == 1


def test_packing_is_what_its_version_says() -> None:
    """If this fails because packing was changed on purpose, raise PACKING_VERSION and put the digest here."""
    digest = hashlib.sha256()
    for form in FORMATS:
        for gated in (False, True):
            weight = _kernels.Weight(70, 300, *form, gated=gated)
            weight.fill(0, normal(5, 70, 300))
            digest.update(weight.panels.data)
    assert (weight_cache.PACKING_VERSION, digest.hexdigest()[:16]) == (2, "f6bd0d15fd641413")


def test_what_is_cached_has_its_checkpoint_precision_and_content(folder: Path, cache: WeightCache) -> None:
    def is_cached(quant: str = "int8") -> bool:
        return Model.load(folder, quant, cache=cache).is_from_cache  # type: ignore[arg-type]

    assert [is_cached(), is_cached(), is_cached("int4"), is_cached("int4")] == [False, True, False, True]
    assert [(entry.model, entry.precision) for entry in cache.files()] == [
        ("some-model", "int4"),
        ("some-model", "int8"),
    ]
    shard = folder / "model-00002-of-00002.safetensors"
    content, times = bytearray(shard.read_bytes()), shard.stat()
    content[-100] ^= 1
    shard.write_bytes(content)  # one bit, size as before, and the time of the change as before
    os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [is_cached(), is_cached()] == [False, True]
    content[-100] ^= 1
    other = folder / "other"
    other.write_bytes(content)
    other.replace(shard)
    assert is_cached()  # the first content again
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 1e-5}))
    assert not is_cached()


def test_a_checkpoint_may_move(folder: Path, cache: WeightCache) -> None:
    Model.load(folder, "int8", cache=cache)
    folder.rename(folder.with_name("moved"))
    assert Model.load(folder.with_name("moved"), "int8", cache=cache).is_from_cache


@pytest.mark.parametrize("damage", ["byte", "truncated", "empty", "foreign", "text"])
def test_a_damaged_file_is_noticed_and_made_again(
    folder: Path, cache: WeightCache, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    expected = logits_of(Model.load(folder, "int8", cache=cache), IDS)
    path = only_file(cache)
    content = bytearray(path.read_bytes())
    if damage == "byte":
        content[len(content) // 3] ^= 1
    elif damage == "foreign":
        content[8] += 1  # version of the layout
    ends = {"truncated": len(content) - 1, "empty": 0}
    path.write_bytes(b"hello" if damage == "text" else content[: ends.get(damage, len(content))])
    again = Model.load(folder, "int8", cache=cache)
    assert not again.is_from_cache
    [record] = caplog.records
    assert "cannot be used and are made again" in record.message
    assert np.array_equal(logits_of(again, IDS), expected)
    assert Model.load(folder, "int8", cache=cache).is_from_cache


def test_only_large_quantised_weights_are_kept(folder: Path, tmp_path: Path) -> None:
    Model.load(folder, "int8", cache=WeightCache(tmp_path / "a"))
    Model.load(folder, "bf16", cache=WeightCache(tmp_path / "b", smallest=0))
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def unusable_by_a_file(folder: Path) -> None:
    folder.write_text("not a folder")


def unusable_by_rights(folder: Path) -> None:
    folder.mkdir(mode=0o500)


@pytest.mark.parametrize("make_unusable", [unusable_by_a_file, unusable_by_rights])
def test_an_unusable_folder_costs_one_warning(
    folder: Path,
    cache: WeightCache,
    make_unusable: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_unusable(cache.folder)
    if make_unusable is unusable_by_rights and os.access(cache.folder, os.W_OK):  # nothing stops root
        monkeypatch.setattr(weight_cache, "_locked", refuse)
    assert not Model.load(folder, "int8", cache=cache).is_from_cache
    [record] = caplog.records
    assert record.message.startswith("weights are not cached: ")


def refuse(*_arguments: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_readable_folder_that_cannot_be_written_to_still_serves(
    folder: Path, cache: WeightCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Model.load(folder, "int8", cache=cache)
    monkeypatch.setattr(os, "utime", refuse)
    assert Model.load(folder, "int8", cache=cache).is_from_cache
    assert not caplog.records


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_costs_one_warning_and_leaves_nothing(
    folder: Path,
    cache: WeightCache,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: str,
) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(packed_file.os, call, full)
        patch.setattr(packed_file, "PIECE_BYTES", 8192)
        assert not Model.load(folder, "int8", cache=cache).is_from_cache
    [record] = caplog.records
    assert "No space left" in record.message
    assert not list(cache.folder.glob("*.p*"))
    Model.load(folder, "int8", cache=cache)
    assert Model.load(folder, "int8", cache=cache).is_from_cache


def test_an_interrupted_load_leaves_nothing(folder: Path, cache: WeightCache) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Model.load(folder, "int8", interrupt, cache=cache)
    assert not list(cache.folder.glob("*.p*"))


def test_a_checkpoint_that_changes_meanwhile_is_not_kept(
    folder: Path, cache: WeightCache, caplog: pytest.LogCaptureFixture
) -> None:
    def touch(done: int, total: int) -> None:
        if done == total:
            os.utime(folder / "model-00001-of-00002.safetensors")

    Model.load(folder, "int8", touch, cache=cache)
    [record] = caplog.records
    assert "was changed meanwhile" in record.message
    assert not cache.files()


def test_values_that_are_not_finite_are_refused_and_not_kept(tmp_path: Path, cache: WeightCache) -> None:
    folder = write_random_checkpoint(tmp_path / "model", small_config())
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-2] + b"\x80\x7f")  # the last value, of the last norm, may be infinite
    Model.load(folder, "int8", cache=cache)
    start = 8 + int.from_bytes(content[:8], "little")
    weights.write_bytes(content[:start] + b"\x80\x7f" + content[start + 2 :])  # the embedding's first may not
    with pytest.raises(CheckpointError, match=r"embed_tokens\.weight, from row 0 on: row 0 holds"):
        Model.load(folder, "int8", cache=cache)
    assert len(cache.files()) == 1


def test_what_was_used_longest_ago_makes_room(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folders = [
        write_random_checkpoint(tmp_path / f"model-{seed}", small_config(), seed=seed) for seed in range(3)
    ]
    generous = WeightCache(tmp_path / "cache", smallest=0)
    for age, folder in enumerate(folders[:2]):
        Model.load(folder, "int8", cache=generous)
        os.utime(generous.files()[0].path, (1000 + age, 1000 + age))
    Model.load(folders[0], "int8", cache=generous)  # used again: now the other is the older one
    size = generous.files()[0].nbytes
    tight = WeightCache(generous.folder, limit=2 * size + size // 2, smallest=0)
    Model.load(folders[2], "int8", cache=tight)
    assert {entry.model for entry in tight.files()} == {"model-0", "model-2"}
    assert not caplog.records
    tiny = WeightCache(generous.folder, limit=size // 2, smallest=0)
    Model.load(folders[1], "int8", cache=tiny)
    assert "more than the cache" in caplog.text
    assert len(tiny.files()) == 2


def test_never_more_than_half_of_the_free_disk(
    folder: Path, cache: WeightCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100_000))
    Model.load(folder, "int8", cache=cache)
    assert "more than the cache" in caplog.text
    assert not cache.files()


def test_clear_removes_all_but_what_is_being_written(folder: Path, cache: WeightCache) -> None:
    Model.load(folder, "int8", cache=cache)
    size = only_file(cache).stat().st_size
    (cache.folder / "abandoned.part").write_bytes(b"half")
    held = weight_cache._locked(cache.folder / "held.part")
    assert held is not None
    assert weight_cache._locked(cache.folder / "held.part") is None
    assert cache.clear() == size
    assert [path.name for path in cache.folder.iterdir()] == ["held.part"]
    os.close(held)
    assert cache.clear() == 0
    assert not list(cache.folder.iterdir())


def test_a_lock_on_a_file_renamed_meanwhile_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = weight_cache.fcntl.flock

    def renamed_before(descriptor: int, operation: int) -> None:
        (tmp_path / "key.part").rename(tmp_path / "key.packed")
        flock(descriptor, operation)

    monkeypatch.setattr(weight_cache.fcntl, "flock", renamed_before)
    (tmp_path / "key.part").write_bytes(b"finished")
    assert weight_cache._locked(tmp_path / "key.part") is None
    assert (tmp_path / "key.packed").read_bytes() == b"finished"


RACE = """
import hashlib, sys
from pathlib import Path
from tests.model.forward import logits_of
from wending.model.model import Model
from wending.model.weight_cache import WeightCache
folder, cache = Path(sys.argv[1]), WeightCache(Path(sys.argv[2]), smallest=0)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(8):
    model = Model.load(folder, "int4", cache=cache)
    print(hashlib.sha256(logits_of(model, list(range(1, 40))).tobytes()).hexdigest(), flush=True)
    cache.clear() if sys.argv[3] == "clears" else None
"""


def test_starts_that_race_all_succeed(folder: Path, cache: WeightCache) -> None:
    """Four processes load, and one of them clears the cache each time, so that they write again and again."""
    logits = logits_of(Model.load(folder, "int4"), IDS)
    expected = hashlib.sha256(logits.tobytes()).hexdigest()
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(folder), str(cache.folder), role],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for role in ("clears", "loads", "loads", "loads")
    ]
    for process in racing:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in racing:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in racing:
        output, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")
        assert output.split() == [expected] * 8
    assert not list(cache.folder.glob("*.part"))


def test_a_dead_writer_holds_nobody_up(folder: Path, cache: WeightCache) -> None:
    """A process is killed in the middle of writing; the next start writes in its place."""
    script = (
        "import os, sys, signal\nfrom pathlib import Path\n"
        "from wending.model.model import Model\nfrom wending.model.weight_cache import WeightCache\n"
        "def die(done, total):\n    if done > total // 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Model.load(Path(sys.argv[1]), 'int8', die, cache=WeightCache(Path(sys.argv[2]), smallest=0))"
    )
    died = subprocess.run([sys.executable, "-c", script, str(folder), str(cache.folder)], check=False)
    assert died.returncode == -9
    assert len(list(cache.folder.glob("*.part"))) == 1
    assert not Model.load(folder, "int8", cache=cache).is_from_cache
    assert Model.load(folder, "int8", cache=cache).is_from_cache
    assert not list(cache.folder.glob("*.part"))


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("WENDING_CACHE", "/somewhere/else")
    assert default_folder() == Path("/somewhere/else")
    monkeypatch.delenv("WENDING_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/general")
    assert default_folder() == Path("/general/wending")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert default_folder() == Path("/home/someone/.cache/wending")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "home", no_home)
        assert WeightCache.default() is None
    assert "weights are not cached: no home" in caplog.text


def no_home() -> Path:
    raise RuntimeError("no home")


def test_how_large_it_may_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WENDING_CACHE_GIB", raising=False)
    assert default_limit() == 32 << 30
    monkeypatch.setenv("WENDING_CACHE_GIB", "1.5")
    assert default_limit() == 3 << 29
    for bad in ("many", "-1", "nan", "1e9"):
        monkeypatch.setenv("WENDING_CACHE_GIB", bad)
        with pytest.raises(ValueError, match="WENDING_CACHE_GIB must be a number of GiB"):
            default_limit()
        assert WeightCache.default() is None


def test_states_differ_after_any_change(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a")
    before = state_of(path)
    path.chmod(0o600)
    assert state_of(path) != before
