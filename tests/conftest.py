"""Paths that several tests share: the real Qwen2.5 tokenizer (optional) and the bundled checkpoint."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from wending import demo

_REPOSITORY = Path(__file__).parent.parent

# No test, nor a process that one starts, touches the weight cache of the person who runs it. Set before any
# test module is imported, for some of them copy the environment.
_OWN_CACHE = tempfile.TemporaryDirectory(prefix="wending-test-cache-")
os.environ["WENDING_CACHE"] = _OWN_CACHE.name


@pytest.fixture(scope="session")
def qwen_tokenizer_folder() -> Path:
    """Folder with Qwen2.5's published tokenizer, chat template and configurations.

    Given by the environment variable WENDING_QWEN_TOKENIZER, or found beside the checkout; tests that need it
    are skipped where it is absent, because its files are not part of this repository.
    """
    named = os.environ.get("WENDING_QWEN_TOKENIZER")
    folder = Path(named) if named else _REPOSITORY.parent / "shared" / "qwen2.5-tokenizer"
    if not (folder / "tokenizer.json").is_file():
        pytest.skip("set WENDING_QWEN_TOKENIZER to a folder with Qwen2.5's tokenizer.json")
    return folder


@pytest.fixture(scope="session")
def demo_folder() -> Path:
    """Folder of the bundled demonstration checkpoint."""
    return demo.folder()
