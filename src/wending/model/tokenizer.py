"""Text to token ids and back: Qwen2.5's byte-level BPE as published in tokenizer.json.

Text of users and control tokens of the template are kept apart: `encode` never yields an added token,
whatever the text contains; only `encode_with_special` does. It knows nothing of conversations.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from tokenizers import Tokenizer as BytePairEncoder

from wending.model.errors import CheckpointError
from wending.model.json_file import read_json_object


class Tokenizer:
    """A byte-level BPE tokenizer; make one with `Tokenizer.load`.

    vocab_size           real ids are 0 to vocab_size - 1; a model may have more rows, which are padding
    special_token_ids    added tokens with `special: true`; they are left out of visible text
    added_tokens         text of every added token, control tokens included, with its id
    """

    def __init__(self, path: Path, definition: dict[str, Any]) -> None:
        _check_supported(path, definition)
        added = definition["added_tokens"]
        self.added_tokens: dict[str, int] = {token["content"]: token["id"] for token in added}
        self.special_token_ids = frozenset(token["id"] for token in added if token["special"])
        try:
            self._with_added_tokens = BytePairEncoder.from_str(orjson.dumps(definition).decode())
            self._plain = BytePairEncoder.from_str(orjson.dumps(definition | {"added_tokens": []}).decode())
        except Exception as error:  # tokenizers raises plain Exception
            raise CheckpointError(path, f"is not a tokenizer this version can read: {error}") from error
        self._token_bytes = _token_bytes(path, definition["model"]["vocab"], added)
        self.vocab_size = len(self._token_bytes)

    @classmethod
    def load(cls, folder: Path) -> Tokenizer:
        """Reads `folder`/tokenizer.json. Raises CheckpointError when absent, damaged or of another kind."""
        path = folder / "tokenizer.json"
        return cls(path, read_json_object(path))

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; control tokens and other added tokens in it are NOT parsed but spelled out."""
        # A batch of one, because encode_batch leaves Python's lock to other threads and encode does not.
        return self._plain.encode_batch([text], add_special_tokens=False)[0].ids

    def encode_with_special(self, text: str) -> list[int]:
        """Ids of text whose added tokens are parsed. Only for text that the program wrote itself."""
        return self._with_added_tokens.encode_batch([text], add_special_tokens=False)[0].ids

    def decode(self, ids: Sequence[int]) -> str:
        """The visible text of ids: special tokens are left out, bytes that are not UTF-8 become U+FFFD.

        Raises IndexError for an id outside 0 to vocab_size - 1.
        """
        return b"".join(map(self.token_bytes, ids)).decode(errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes a token stands for; nothing for special tokens. A character may take several tokens."""
        if not 0 <= token_id < self.vocab_size:
            raise IndexError(f"token id {token_id} is outside 0 to {self.vocab_size - 1}")
        return self._token_bytes[token_id]


def _check_supported(path: Path, definition: dict[str, Any]) -> None:
    model = definition.get("model")
    if not isinstance(model, dict) or model.get("type") != "BPE" or not isinstance(model.get("vocab"), dict):
        raise CheckpointError(path, "is not a BPE tokenizer; supported: byte-level BPE as of Qwen2.5")
    if not isinstance(definition.get("decoder"), dict) or definition["decoder"].get("type") != "ByteLevel":
        raise CheckpointError(path, "its decoder is not ByteLevel; supported: byte-level BPE as of Qwen2.5")
    added = definition.get("added_tokens")
    if not isinstance(added, list):
        raise CheckpointError(path, "added_tokens is missing")
    for token in added:
        if not isinstance(token, dict) or not {"id", "content", "special"} <= token.keys():
            raise CheckpointError(path, f"added token {token!r} lacks id, content or special")
        switched_on = [key for key in ("single_word", "lstrip", "rstrip", "normalized") if token.get(key)]
        if switched_on or not token["content"]:
            raise CheckpointError(
                path, f"added token {token['content']!r} has {switched_on} set, which is not supported"
            )


def _token_bytes(path: Path, vocabulary: dict[str, int], added: list[dict[str, Any]]) -> list[bytes]:
    """The bytes of every id, in order. Raises CheckpointError where ids have gaps or meet twice."""
    byte_of = {character: byte for byte, character in enumerate(_byte_alphabet())}
    by_id: dict[int, bytes] = {}
    try:
        for token, token_id in vocabulary.items():
            by_id[token_id] = bytes([byte_of[character] for character in token])
    except KeyError as error:
        raise CheckpointError(
            path, f"token {token!r} holds {error}, which is no byte-level character"
        ) from error
    for entry in added:
        by_id[entry["id"]] = b"" if entry["special"] else entry["content"].encode()
    count = len(vocabulary) + sum(entry["content"] not in vocabulary for entry in added)
    if len(by_id) != count or by_id.keys() != set(range(count)):
        raise CheckpointError(path, f"its {count} tokens do not have the ids 0 to {count - 1}")
    return [by_id[token_id] for token_id in range(count)]


def _byte_alphabet() -> list[str]:
    """The 256 characters that stand for bytes 0 to 255 in a byte-level vocabulary (Radford et al. 2019).

    Bytes that print as themselves in Latin-1 keep their character; the others, in order, take U+0100 onwards.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    substitutes = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(substitutes)) for byte in range(256)]
