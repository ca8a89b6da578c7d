"""OpenAI fields that this version cannot honour: refused by name, unless their value asks for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wending.serve.openai_errors import APIError

# Each field with the values that ask for nothing. Client libraries send some of these by themselves.
REQUEST_FIELDS: dict[str, tuple[Any, ...]] = {
    "audio": (None,),
    "function_call": (None, "none"),
    "functions": (None, []),
    "modalities": (None, ["text"]),
    "prediction": (None,),
    "prompt_cache_retention": (None,),
    "reasoning_effort": (None, "none"),
    "service_tier": (None, "auto", "default"),
    "store": (None, False),
    "verbosity": (None, "medium"),
    "web_search_options": (None,),
}
TEXT_REQUEST_FIELDS: dict[str, tuple[Any, ...]] = {
    "store": (None, False),
    "suffix": (None, ""),
}
RESPONSES_REQUEST_FIELDS: dict[str, tuple[Any, ...]] = {
    "background": (None, False),
    "context_management": (None,),
    "conversation": (None,),
    "max_tool_calls": (None,),
    "moderation": (None,),
    "previous_response_id": (None,),
    "prompt": (None,),
    "prompt_cache_options": (None,),
    "prompt_cache_retention": (None,),
    "reasoning": (None, {}, {"effort": None}, {"effort": "none"}, {"effort": None, "summary": None}),
    "service_tier": (None, "auto", "default"),
    "store": (None, False),
}
# Those that ask the server to keep something, or to know what it has kept.
RESPONSES_MEMORY = ("background", "conversation", "previous_response_id", "prompt", "store")
EMBEDDING_REQUEST_FIELDS: dict[str, tuple[Any, ...]] = {"dimensions": (None,)}
# An answer's message may be sent back as it came, with its empty fields.
MESSAGE_FIELDS: dict[str, tuple[Any, ...]] = {
    "annotations": (None, []),
    "audio": (None,),
    "function_call": (None,),
    "refusal": (None,),
}


def refuse_unsupported(body: Mapping[str, Any]) -> dict[str, Any]:
    """`body` without the fields above. Raises APIError 400 if one of them asks for something."""
    supported = _without(body, REQUEST_FIELDS, "")
    messages = supported.get("messages")
    if isinstance(messages, list):
        supported["messages"] = [
            _without(message, MESSAGE_FIELDS, f"messages[{i}].") if isinstance(message, dict) else message
            for i, message in enumerate(messages)
        ]
    return supported


def refuse_unsupported_text(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a text completion."""
    return _without(body, TEXT_REQUEST_FIELDS, "")


def refuse_unsupported_responses(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same for responses, none of which is kept."""
    try:
        return _without(body, RESPONSES_REQUEST_FIELDS, "")
    except APIError as error:
        if error.param in RESPONSES_MEMORY:
            error.message += " Nothing is kept here: each request brings its whole conversation in 'input'."
        raise


def refuse_unsupported_embedding(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same for embeddings."""
    return _without(body, EMBEDDING_REQUEST_FIELDS, "")


def _without(values: Mapping[str, Any], fields: Mapping[str, tuple[Any, ...]], path: str) -> dict[str, Any]:
    for name in fields.keys() & values.keys():
        if not _is_one_of(values[name], fields[name]):
            raise _not_supported(path + name)
    return {name: value for name, value in values.items() if name not in fields}


def _is_one_of(value: Any, accepted: Iterable[Any]) -> bool:
    # In Python 1 == True, in JSON they differ.
    return any(type(value) is type(one) and value == one for one in accepted)


def _not_supported(param: str) -> APIError:
    message = f"'{param}' is not supported by this version of wending."
    return APIError(400, message, param=param, code="unsupported_parameter")
