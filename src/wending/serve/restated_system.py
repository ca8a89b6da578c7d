"""The system prompt once more, as a message that the model sees later on and nobody else does."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wending.serve.turns import Message

_ENGLISH = "The instructions for this conversation still apply:"
_CHINESE = "以下是本次对话的要求，继续有效："
_HAN = re.compile("[\u3400-\u9fff]")
_WORD = re.compile("[A-Za-z]+")


def restated(system: Sequence[Message]) -> Message | None:
    """A system message that says again what these say, introduced in their language; None if they say
    nothing."""
    text = "\n\n".join(content for message in system if (content := message["content"]).strip())
    if not text:
        return None
    is_chinese = len(_HAN.findall(text)) > len(_WORD.findall(text))
    return {"role": "system", "content": f"{_CHINESE if is_chinese else _ENGLISH}\n\n{text}"}
