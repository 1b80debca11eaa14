"""The tiny models other tests train: ordinary folders without a task head, the same for one seed."""

from __future__ import annotations

import pytest

from headstart.tokens import TextEncoder
from tokenizers_made_here import FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_tiny_model_loads_with_a_new_head_and_the_same_tokenizer(make_tiny_model, encoders, tmp_path, family):
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    folder = make_tiny_model(family, tmp_path)
    model, info = AutoModelForQuestionAnswering.from_pretrained(folder, output_loading_info=True)
    assert set(info["missing_keys"]) == {"qa_outputs.weight", "qa_outputs.bias"}
    assert not info["unexpected_keys"]
    loaded = TextEncoder(AutoTokenizer.from_pretrained(folder))
    assert loaded.fingerprint() == encoders[family].fingerprint()
    ids = torch.tensor([loaded.layout.join(*loaded.encode_ids(["which river", "Zoë 1874 老图书馆"])).tolist()])
    assert model(input_ids=ids).start_logits.shape == ids.shape


def test_same_seed_same_weights(make_tiny_model, tiny_bert, tmp_path):
    again = make_tiny_model("bert", tmp_path / "again")
    other = make_tiny_model("bert", tmp_path / "other", seed=1)
    weights = [(folder / "model.safetensors").read_bytes() for folder in (tiny_bert, again, other)]
    assert weights[0] == weights[1] != weights[2]
