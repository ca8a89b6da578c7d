"""Before any training the planted heads already repeat: half of a random text told twice is predicted."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from train.initial import held, initialize, random_weights  # noqa: E402
from train.model import Qwen2, Qwen2Shape  # noqa: E402

SHAPE = Qwen2Shape(vocab_size=2000, num_hidden_layers=3)


def repeated_share(model: Qwen2, length: int = 60, rows: int = 8) -> float:
    """Share of the tokens of a second telling that the model ranks first."""
    once = torch.stack(
        [
            torch.randperm(SHAPE.vocab_size, generator=torch.Generator().manual_seed(row))[:length]
            for row in range(rows)
        ]
    )
    ids = torch.cat((once, once), dim=1)
    with torch.inference_mode():
        guesses = model.logits(model.hidden(ids)[0]).argmax(dim=-1)
    return (guesses[:, length:-1] == ids[:, length + 1 :]).float().mean().item()


def test_planted_heads_repeat_and_random_weights_do_not() -> None:
    model = Qwen2(SHAPE)
    initialize(model, 7)
    assert repeated_share(model) > 0.9
    with torch.no_grad():
        random_weights(model, torch.Generator().manual_seed(7))
    assert repeated_share(model) < 0.05


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second = Qwen2(SHAPE), Qwen2(SHAPE)
    initialize(first, 3)
    initialize(second, 3)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_what_is_held_is_the_attention_of_the_first_layer() -> None:
    model = Qwen2(SHAPE)
    names = {name for name, parameter in model.named_parameters() if any(parameter is h for h in held(model))}
    assert names == {
        name for name, _ in model.named_parameters() if name.startswith("model.layers.0.self_attn.")
    }
