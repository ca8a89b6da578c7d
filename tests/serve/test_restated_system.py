from __future__ import annotations

import pytest

from wending.serve.restated_system import restated


@pytest.mark.parametrize(
    ("prompts", "introduced"),
    [
        (["You are terse."], "The instructions for this conversation still apply:\n\nYou are terse."),
        (["你是一名工程师。"], "以下是本次对话的要求，继续有效：\n\n你是一名工程师。"),
        (["你是 wending 的客服。"], "以下是本次对话的要求，继续有效：\n\n你是 wending 的客服。"),
        (
            ["Translate 你好 for the user."],
            "The instructions for this conversation still apply:\n\nTranslate 你好 for the user.",
        ),
        (["One.", " ", "Two."], "The instructions for this conversation still apply:\n\nOne.\n\nTwo."),
        ([" \n"], None),
        ([], None),
    ],
)
def test_in_its_own_language(prompts: list[str], introduced: str | None) -> None:
    message = restated([{"role": "system", "content": prompt} for prompt in prompts])
    assert message == (None if introduced is None else {"role": "system", "content": introduced})
