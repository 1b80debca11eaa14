"""What a run says of its speed: counts, and the share of a peak that is measured, not looked up."""

from __future__ import annotations

import pytest
import torch
import transformers

from headstart.hardware import Hardware
from headstart.speed import TrainingWork, matrix_peak, operations_per_token, peak_share
from tiny_models import SHAPE

CPU = Hardware(torch.device("cpu"), "fp32", None, 1)


def test_training_work_counts_real_and_padded_tokens():
    work = TrainingWork()
    work.count(torch.tensor([[1, 1, 1], [1, 0, 0]]))
    work.count(torch.tensor([[1, 1]]))
    assert work.summary(2.0) == {
        "windows": 3,
        "windows_per_second": 1.5,
        "tokens_per_second": 3.0,
        "padding_share": 0.25,
    }


def test_no_work_is_no_error():
    assert TrainingWork().summary(0.0)["padding_share"] == 0.0


def test_operations_are_counted():
    """Two layers: four (32, 32) and two (32, 64) matrices, 10 tokens of attention twice; two logits a token."""
    torch.manual_seed(0)
    model = transformers.BertForQuestionAnswering(
        transformers.BertConfig(vocab_size=50, attn_implementation="eager", **SHAPE)
    )
    layer = 4 * 32 * 32 + 2 * 32 * 64 + 2 * 10 * 32
    assert operations_per_token(model, 10) == 2 * (2 * layer + 2 * 32)
    assert model.training, "left as it was found"


def test_what_cannot_be_counted_is_not_guessed():
    class Unknown(torch.nn.Module):
        device = torch.device("cpu")

    assert operations_per_token(Unknown(), 10) is None
    assert matrix_peak(Hardware(torch.device("meta"), "fp32", None, 1)) is None


def test_a_parameter_among_the_inputs_of_a_layer_is_no_obstacle():
    """As DeBERTa has it: the counter's hooks fail on that unless gradients are on."""
    config = transformers.DebertaV2Config(
        vocab_size=50, relative_attention=True, pos_att_type=["p2c", "c2p"], type_vocab_size=0, **SHAPE
    )
    assert operations_per_token(transformers.DebertaV2ForQuestionAnswering(config), 10) > 35_000


def test_a_peak_is_measured_and_a_share_is_one_of_it():
    assert 1e8 < matrix_peak(CPU) < 1e15
    assert peak_share(1e3, 6e6, tokens_per_second=1_000) == pytest.approx(0.5)
    assert peak_share(None, 6e6, tokens_per_second=1_000) is None
    assert peak_share(1e3, None, tokens_per_second=1_000) is None
