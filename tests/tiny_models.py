"""Encoders small enough to train in a test: random weights from a seed, hidden size 32, two layers, two heads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers_made_here import FAMILIES

SINGLE = {  # how the published models of a family dress a single text and a pair
    "sentencepiece": ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
    "xlm-roberta": ("<s> $A </s>", "<s> $A </s> </s> $B </s>"),
    "xlnet": ("$A <sep> <cls>:2", "$A <sep> $B:1 <sep>:1 <cls>:2"),
}
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def make_tiny_model(family: str, folder: str | Path, *, seed: int = 0) -> Path:
    """Save a model of one of `FAMILIES` and its tokenizer, as a pretrained encoder comes: without a task head."""
    import torch

    tokenizer = FAMILIES[family]()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _model(family, len(tokenizer), tokenizer.pad_token_id)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def text_tokenizer(family: str) -> Any:
    """A tokenizer of a family that dresses single texts, too, as the published ones do."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = FAMILIES[family]()
    if family in SINGLE:
        single, pair = SINGLE[family]
        backend = tokenizer.backend_tokenizer
        names = {part.split(":")[0] for part in single.split() if not part.startswith("$")}
        special = [(name, backend.token_to_id(name)) for name in sorted(names)]
        backend.post_processor = TemplateProcessing(single=single, pair=pair, special_tokens=special)
    return tokenizer


def make_text_model(family: str, folder: str | Path, *, seed: int = 0) -> Path:
    """As `make_tiny_model`, with a `text_tokenizer` beside it."""
    folder = make_tiny_model(family, folder, seed=seed)
    text_tokenizer(family).save_pretrained(folder)
    return folder


def _model(family: str, vocabulary: int, padding: int) -> Any:
    import transformers

    common = {"vocab_size": vocabulary, "pad_token_id": padding}
    if family == "xlnet":
        names = {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 64}
        return transformers.XLNetModel(transformers.XLNetConfig(**common, **names))
    if family == "bert":
        return transformers.BertModel(transformers.BertConfig(**common, **SHAPE), add_pooling_layer=False)
    if family == "sentencepiece":
        options = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}
        return transformers.DebertaV2Model(transformers.DebertaV2Config(**common, **SHAPE, **options))
    name = "XLMRoberta" if family == "xlm-roberta" else "Roberta"
    config = getattr(transformers, f"{name}Config")(
        **common, **SHAPE, max_position_embeddings=514, type_vocab_size=1, bos_token_id=0, eos_token_id=2
    )
    return getattr(transformers, f"{name}Model")(config, add_pooling_layer=False)
