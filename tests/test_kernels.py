"""Our attention against torch's, exactly and in its gradients; our dropout against what dropout has to be."""

from __future__ import annotations

import pytest
import torch
import transformers
from torch.nn.functional import scaled_dot_product_attention

from headstart import kernels
from headstart.kernels import BitDropout, dropout_mask, quicken_dropout, register_attention, tiled_attention
from tiny_models import SHAPE

HEADS, LENGTH, WIDTH = 4, 7, 8


def inputs(batch: int = 3, *, heads: int = HEADS, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    """Query, key and value, that ask for gradients."""
    torch.manual_seed(batch)
    shapes = [(batch, HEADS, LENGTH, WIDTH)] + 2 * [(batch, heads, LENGTH, WIDTH)]
    return [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]


def padding(batch: int, *, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """A mask that hides the last tokens of every window but the first."""
    mask = torch.zeros(batch, 1, LENGTH, LENGTH, dtype=dtype)
    mask[1:, :, :, -2:] = torch.finfo(torch.bfloat16).min
    return mask


@pytest.fixture(params=[1, 2, 100], ids=["a window a tile", "two windows a tile", "one tile"])
def tile(request, monkeypatch):
    """The cache holds this many windows."""
    monkeypatch.setattr(kernels, "CACHE_BYTES", request.param * HEADS * LENGTH * LENGTH * 8)


@pytest.mark.usefixtures("tile")
@pytest.mark.parametrize("masked", [False, True])
def test_attention_and_its_gradients_are_those_of_torch(masked):
    mask = padding(3) if masked else None
    ours, theirs = inputs(), inputs()
    mixed = tiled_attention(None, *ours, mask)[0]
    expected = scaled_dot_product_attention(*theirs, attn_mask=mask).transpose(1, 2)
    torch.testing.assert_close(mixed, expected)
    weights = torch.randn_like(mixed)
    (mixed * weights).sum().backward()
    (expected * weights).sum().backward()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.usefixtures("tile")
def test_gradients_agree_with_differences():
    assert torch.autograd.gradcheck(lambda *given: tiled_attention(None, *given, padding(3))[0], inputs())


@pytest.mark.usefixtures("tile")
def test_gradients_agree_with_differences_under_dropout():
    def attend(*given: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)  # the same mask every time
        return tiled_attention(None, *given, None, dropout=0.3)[0]

    assert torch.autograd.gradcheck(attend, inputs())


def test_dropout_zeroes_shares_and_keeps_their_mean():
    query, key, value = (torch.zeros(200, 1, 16, 4) for _ in range(3))
    mixed = tiled_attention(None, query, key, value + 1, None, dropout=0.25)[0]
    assert mixed.std() > 0.05
    assert mixed.mean().item() == pytest.approx(1, abs=0.02)


def test_a_mask_may_be_shared_by_all_windows():
    mask = padding(2)[1:]
    query, key, value = inputs()
    expected = scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)
    torch.testing.assert_close(tiled_attention(None, query, key, value, mask)[0], expected)


def test_heads_may_share_keys():
    query, key, value = inputs(heads=2)
    expected = scaled_dot_product_attention(query, key, value, enable_gqa=True).transpose(1, 2)
    torch.testing.assert_close(tiled_attention(None, query, key, value, None)[0], expected)


def test_without_gradients_scores_of_one_tile_are_all_the_memory_it_takes(monkeypatch):
    monkeypatch.setattr(kernels, "CACHE_BYTES", HEADS * LENGTH * LENGTH * 8)
    given = inputs(5)
    with torch.inference_mode():
        mixed = tiled_attention(None, *given, padding(5))[0]
    torch.testing.assert_close(mixed, tiled_attention(None, *given, padding(5))[0].detach())


@pytest.mark.parametrize("family", ["Bert", "Roberta", "DistilBert", "Electra", "ModernBert"])
def test_models_give_the_same_logits_with_it(family):
    register_attention()
    shape = SHAPE | ({"hidden_dim": 64, "dim": 32, "n_layers": 2, "n_heads": 2} if family == "DistilBert" else {})
    config = getattr(transformers, f"{family}Config")(vocab_size=60, pad_token_id=1, **shape)
    torch.manual_seed(0)
    model = getattr(transformers, f"{family}ForQuestionAnswering")(config).eval()
    ids = torch.randint(2, 60, (3, 20))
    mask = torch.ones_like(ids)
    mask[1, 12:] = 0
    logits = []
    for name in ("eager", "tiled"):
        model.set_attn_implementation(name)
        with torch.no_grad():
            logits.append(model(input_ids=ids, attention_mask=mask).start_logits[mask.bool()])
    torch.testing.assert_close(logits[0], logits[1], atol=1e-5, rtol=1e-4)


# -- dropout -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_mask_drops_its_share_and_keeps_the_mean(p):
    torch.manual_seed(0)
    mask = dropout_mask(torch.Size([300, 1_001]), p, torch.float32)
    assert (mask == 0).float().mean().item() == pytest.approx(p, abs=0.003)
    assert mask.mean().item() == pytest.approx(1, abs=0.01)
    assert mask.unique().numel() == 2


def test_neighbours_in_one_random_word_are_independent():
    torch.manual_seed(0)
    dropped = (dropout_mask(torch.Size([100_000, 4]), 0.5, torch.float32) == 0).float()
    assert (torch.corrcoef(dropped.T) - torch.eye(4)).abs().max() < 0.02


def test_a_seed_repeats_a_mask():
    masks = []
    for _ in range(2):
        torch.manual_seed(3)
        masks.append(dropout_mask(torch.Size([5, 7]), 0.3, torch.bfloat16))
    assert torch.equal(*masks)


def test_dropout_passes_gradients_where_it_kept_values():
    hidden = torch.ones(50, 40, requires_grad=True)
    kept = BitDropout(0.4)(hidden)
    kept.sum().backward()
    assert torch.equal(hidden.grad, kept.detach())


def test_dropout_is_off_when_it_is_not_training():
    hidden = torch.randn(4, 4)
    assert BitDropout(0.4).eval()(hidden) is hidden
    assert BitDropout(0.0)(hidden) is hidden


def test_every_dropout_of_a_model_is_replaced_and_no_weight_is_touched():
    model = torch.nn.Sequential(
        torch.nn.Dropout(0.2), torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout(0.1))
    )
    weights = set(model.state_dict())
    quicken_dropout(model.eval())
    found = [module for module in model.modules() if isinstance(module, BitDropout)]
    assert [module.p for module in found] == [0.2, 0.1]
    assert not any(module.training for module in found)
    assert set(model.state_dict()) == weights
    assert "p=0.2" in repr(model)
