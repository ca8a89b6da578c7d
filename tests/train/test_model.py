"""The training model computes what transformers' Qwen2ForCausalLM computes, with and without a cache."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer  # noqa: E402
from train.checkpoint import load, save  # noqa: E402
from train.initial import initialize  # noqa: E402
from train.model import Qwen2, Qwen2Shape  # noqa: E402
from train.tokenizer import train_tokenizer  # noqa: E402

SHAPE = Qwen2Shape(
    vocab_size=320,
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=96,
    max_position_embeddings=128,
)


@pytest.fixture
def model() -> Qwen2:
    model = Qwen2(SHAPE)
    initialize(model, 1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(
                    torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))) * 0.1
                )
    return model.eval()


def test_logits_equal_those_of_transformers(model: Qwen2) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.Qwen2ForCausalLM(
        transformers.Qwen2Config(**SHAPE.config(), tie_word_embeddings=True)
    ).eval()
    theirs.load_state_dict(model.state_dict(), strict=False)
    theirs.tie_weights()
    ids = torch.randint(0, 320, (2, 40), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        mine, reference = model.logits(model.hidden(ids)[0]), theirs(ids).logits
    torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-4)


def test_a_cache_changes_nothing(model: Qwen2) -> None:
    ids = torch.randint(0, 320, (1, 12), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole, _ = model.hidden(ids)
        _, cache = model.hidden(ids[:, :11])
        seen = torch.ones(1, 1, 1, 12, dtype=torch.bool)
        last, _ = model.hidden(ids[:, 11:], torch.tensor([[11]]), seen, cache)
    torch.testing.assert_close(last[:, 0], whole[:, 11], rtol=1e-4, atol=1e-5)


def test_the_loss_is_weighted_and_ignores_what_weighs_nothing(model: Qwen2) -> None:
    ids = torch.randint(0, 320, (2, 10), generator=torch.Generator().manual_seed(0))
    targets, weights = torch.full((2, 10), -100), torch.zeros(2, 10)
    targets[0, 3], weights[0, 3] = 7, 2.0
    targets[1, 5], weights[1, 5] = 9, 1.0
    logits = model.logits(model.hidden(ids)[0]).log_softmax(dim=-1)
    torch.testing.assert_close(model.loss(ids, targets, weights), -2 * logits[0, 3, 7] - logits[1, 5, 9])


def test_a_saved_checkpoint_loads_as_its_bf16_values(model: Qwen2, tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    tokenizer = train_tokenizer(["a b c"])
    save(tmp_path, model.state_dict(), SHAPE, tokenizer)
    loaded, again = load(tmp_path)
    assert isinstance(again, Tokenizer)
    assert again.get_vocab() == tokenizer.get_vocab()
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor.to(torch.bfloat16).float())
