"""All that was published of a model, opened: weights, tokenizer, chat template and sampling defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wending.model.chat_template import ChatTemplate
from wending.model.checkpoint import Checkpoint
from wending.model.errors import CheckpointError
from wending.model.generation_config import GenerationConfig
from wending.model.gguf_checkpoint import PART, GgufCheckpoint
from wending.model.gguf_tokenizer import gguf_chat_template, gguf_generation_config, gguf_tokenizer
from wending.model.open_checkpoint import open_checkpoint
from wending.model.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A checkpoint folder or a GGUF file; `name` is that of the folder, or of the file without its ending."""

    name: str
    checkpoint: Checkpoint
    tokenizer: Tokenizer
    chat_template: ChatTemplate
    generation_config: GenerationConfig


def open_published(path: Path) -> PublishedModel:
    """Opens the folder or GGUF file `path`. Raises CheckpointError for what cannot be used."""
    checkpoint = open_checkpoint(path)
    if isinstance(checkpoint, GgufCheckpoint):
        metadata = checkpoint.metadata
        tokenizer = gguf_tokenizer(path, metadata)
        part = PART.fullmatch(path.name)
        model = PublishedModel(
            part["stem"] if part else path.stem,
            checkpoint,
            tokenizer,
            gguf_chat_template(path, metadata),
            gguf_generation_config(path, metadata, tokenizer.added_tokens),
        )
    else:
        model = PublishedModel(
            path.resolve().name,
            checkpoint,
            Tokenizer.load(path),
            ChatTemplate.load(path),
            GenerationConfig.from_folder(path),
        )
    tokens, rows = model.tokenizer.vocab_size, checkpoint.config.vocab_size
    if tokens > rows:
        where, source = (
            (path, "its embedding") if path.is_file() else (path / "tokenizer.json", "config.json")
        )
        raise CheckpointError(where, f"has {tokens} tokens, but {source} says vocab_size {rows}")
    return model
