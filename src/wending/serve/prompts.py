"""Prompts as clients write them: text or token ids, one or several."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from wending.engine.client import EngineClient
from wending.serve.in_thread import in_thread_if_long
from wending.serve.vocabulary import check_token_ids

MAX_PROMPTS = 256

Prompt = str | list[int]
"""Text, or token ids."""


async def prompt_token_ids(client: EngineClient, param: str, prompt: Prompt) -> list[int]:
    """The tokens of a prompt. Raises APIError 400, which names `param`, for an id that is none."""
    if isinstance(prompt, str):
        return await in_thread_if_long(len(prompt), client.encode, prompt)
    check_token_ids(param, prompt, client.info)
    return prompt


def _several(prompt: Any) -> list[Prompt]:
    """A list of prompts, of which one alone is a special case."""
    several = [prompt] if isinstance(prompt, str) or _is_token_ids(prompt) else prompt
    if not isinstance(several, list) or not several or len(several) > MAX_PROMPTS:
        raise PydanticCustomError(
            "prompt_type",
            "must be text, token ids, or a list of 1 to {most} of one of them",
            {"most": MAX_PROMPTS},
        )
    if not (all(isinstance(one, str) for one in several) or all(map(_is_token_ids, several))):
        raise PydanticCustomError("prompt_type", "its items must all be text or all lists of token ids")
    return several


def _is_token_ids(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(item) is int for item in value)


_TOKEN_IDS = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
_SCHEMA = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_PROMPTS},
        _TOKEN_IDS,
        {"type": "array", "items": _TOKEN_IDS, "minItems": 1, "maxItems": MAX_PROMPTS},
    ]
}

Prompts = Annotated[list[Prompt], PlainValidator(_several), WithJsonSchema(_SCHEMA)]
"""The type of a field that holds them."""
