"""Role keeping: fields of a request by which some endpoints keep a model to its role."""

from __future__ import annotations

import json
from typing import Any

from wending.assess.bilingual import Bilingual
from wending.assess.endpoint import EndpointClient
from wending.assess.endpoint_errors import BadStatus, EndpointError

OWN_FIELDS = frozenset(
    (
        "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "stream",
        "stream_options",
    )
)  # fmt: skip
"""What the assessment itself puts into a request."""

OF_WENDING = {"restate_system": 4}
"""How `wending serve` keeps roles: the system prompt is shown again after every fourth turn."""


def parse_role_keeping(text: str) -> dict[str, Any]:
    """The fields, from a JSON object such as {"restate_system": 4}. Raises ValueError."""
    example = "'{\"restate_system\": 4}'"
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise ValueError(
            Bilingual(
                f"--role-keeping {text!r} is not JSON ({error}); an example: {example}",
                f"--role-keeping {text!r} 不是 JSON（{error}）；例如：{example}",
            )
        ) from None
    if not isinstance(fields, dict) or not fields:
        raise ValueError(
            Bilingual(
                f"--role-keeping wants a JSON object that is not empty, got {text}; an example: {example}",
                f"--role-keeping 需要至少含一个字段的 JSON 对象，得到的是 {text}；例如：{example}",
            )
        )
    for field in fields:
        if field in OWN_FIELDS:
            raise ValueError(
                Bilingual(
                    f"--role-keeping: the assessment sets {field!r} itself",
                    f"--role-keeping：{field!r} 由评测自行设置",
                )
            )
    return fields


async def refusal(client: EndpointClient, fields: dict[str, Any]) -> str | None:
    """What the endpoint says when it refuses a short conversation with these fields; None when it does not.
    Whatever else goes wrong is left for the conversations themselves to find out."""
    messages = [
        {"role": "system", "content": "You are a gardener. Answer in one sentence."},
        {"role": "user", "content": "What do you grow?"},
    ]
    try:
        await client.chat(messages, max_tokens=8, temperature=0.0, top_p=1.0, seed=0, fields=fields)
    except BadStatus as error:
        return error.message if error.is_refusal else None
    except EndpointError:
        return None
    return None
