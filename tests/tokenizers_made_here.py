"""Small tokenizers of every family headstart must know, trained on a few sentences of our own.

They are the real thing in shape (normaliser, model, layout of a pair, padding side) and tiny in vocabulary, so that
every test has them without a network. Trained vocabularies may differ between versions of `tokenizers`: a test that
names exact tokens uses `word_tokenizer`, whose vocabulary is given by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

SENTENCES = (
    "The old lighthouse keeper wrote 365 letters, one for every day of the year 1908.",
    "On 4 April the river rose by 2.5 metres; nobody in the valley had seen such water before.",
    '"Where is the key?" asked Zoë - and naïve Émile pointed at the café\'s door (it was open).',
    "Größe und Maß: Fräulein Müller wog 1.250 g süße Äpfel für €3,99 ab.",
    "El niño comió piñas y bebió agua; ¿quién pagó la cuenta? ¡Nadie!",
    "Příliš žluťoučký kůň běžel přes zelené pole k řece Vltavě.",
    "Ο γέρος ψαράς έφυγε από το λιμάνι πριν βγει ο ήλιος, γύρω στις 5 το πρωί.",
    "Η Μαρία διαβάζει ένα παλιό βιβλίο για τους αστερισμούς.",
    "Старый мост через реку построили в 1874 году, а новый открыли через сто лет.",
    "Мой дедушка собирал марки, монеты и ещё более странные вещи.",
    "كتب المعلم ثلاث رسائل إلى صديقه في المدينة القديمة عام ١٩٥٠.",
    "يشرب الأطفال الحليب قبل النوم.",
    "老图书馆在河边，每天早上八点开门，里面有三万本书。",
    "他昨天买了两斤苹果和一条鱼，一共花了四十六元。",
    "古い寺の庭には大きな池があり、子供たちが毎朝カメに餌をやる。",
    "東京タワーは1958年に完成した。",
    "We baked a cake 🍰 and sang 🎉 until the neighbours 👨‍👩‍👧 came over 👋🏽 to help.",
    "Cafe\u0301 cre\u0300me and a re\u0301sume\u0301 lay on the man\u0303ana tray.",
    "first line\r\nsecond line\tafter a tab and 12\u00a0500\u00a0km of hard blanks",
    "An answer is a span of its context. A question is asked about the context, and one answer is right.",
)


def bert() -> PreTrainedTokenizerFast:
    """WordPiece, lower-casing and accent-stripping: `[CLS] A [SEP] B [SEP]`, types 0 and 1."""
    return wrap_bert(bert_backend())


def bert_backend() -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    backend = Tokenizer(models.WordPiece(_word_pieces(), unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return backend


def _word_pieces() -> dict[str, int]:
    """What BPE learns, each piece at the start of a word and within."""
    from tokenizers import normalizers, pre_tokenizers

    pieces = sorted(_learn(normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return {piece: place for place, piece in enumerate([*special, *pieces, *(f"##{piece}" for piece in pieces)])}


def wrap_bert(backend: Tokenizer) -> PreTrainedTokenizerFast:
    """A backend with BERT's special tokens as transformers knows it."""
    return _wrap(
        backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def roberta(*, trim_offsets: bool = True) -> PreTrainedTokenizerFast:
    """Byte-level BPE: `<s> A </s></s> B </s>`, no token types; untrimmed offsets hold the blank before a word."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=trim_offsets)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(SENTENCES, trainer)
    backend.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=trim_offsets, add_prefix_space=False
    )
    return _wrap(
        backend,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        mask_token="<mask>",
        model_input_names=["input_ids", "attention_mask"],
    )


def sentencepiece() -> PreTrainedTokenizerFast:
    """Unigram with Metaspace after NFKC, as DeBERTa-v3: `[CLS] A [SEP] B [SEP]`; offsets hold the blank before."""
    from tokenizers import normalizers

    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    backend = _unigram(special, unknown="[UNK]", normalizer=normalizers.NFKC())
    backend.post_processor = _template("[CLS] $A [SEP] $B:1 [SEP]:1", backend, "[CLS]", "[SEP]")
    return _wrap(
        backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def xlm_roberta() -> PreTrainedTokenizerFast:
    """Unigram as XLM-R: every word gets a blank of its own in front, `<s> A </s></s> B </s>`, no token types."""
    from tokenizers import normalizers, pre_tokenizers

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    backend = _unigram(special, unknown="<unk>", normalizer=normalizers.NFKC())
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always")
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    backend.post_processor = _template("<s> $A </s> </s> $B </s>", backend, "<s>", "</s>")
    return _wrap(
        backend,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        mask_token="<mask>",
        model_input_names=["input_ids", "attention_mask"],
    )


def xlnet() -> PreTrainedTokenizerFast:
    """Unigram, padded on the left, context first, CLS last with a type of its own: `A <sep> B <sep> <cls>`."""
    from tokenizers import Regex, normalizers

    special = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>"]
    steps = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Replace(Regex(" {2,}"), " ")]
    backend = _unigram(special, unknown="<unk>", normalizer=normalizers.Sequence(steps))
    backend.post_processor = _template("$A <sep> $B:1 <sep>:1 <cls>:2", backend, "<sep>", "<cls>")
    tokenizer = _wrap(
        backend,
        padding_side="left",
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<cls>",
        sep_token="<sep>",
        mask_token="<mask>",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    tokenizer._pad_token_type_id = 3  # as transformers' own XLNet tokenizer sets it: there is no argument for it
    return tokenizer


def baked() -> PreTrainedTokenizerFast:
    """BERT whose tokenizer.json carries truncation to 128 and padding to 128, as published encoders do."""
    backend = bert_backend()
    backend.enable_truncation(128)
    backend.enable_padding(length=128, pad_id=0, pad_token="[PAD]")
    return wrap_bert(backend)


def scrambling() -> PreTrainedTokenizerFast:
    """BERT whose normaliser turns every letter into the same one: offsets hold, but the ids tell nothing."""
    from tokenizers import Regex, normalizers

    backend = bert_backend()
    backend.normalizer = normalizers.Sequence([backend.normalizer, normalizers.Replace(Regex(r"\p{L}"), "e")])
    return wrap_bert(backend)


def word_tokenizer(words: Sequence[str] = ()) -> PreTrainedTokenizerFast:
    """BERT's layout with one token a word or mark: ids 5, 6 … in the order of `words`, all others [UNK] (1)."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: place for place, word in enumerate((*special, *words))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return wrap_bert(backend)


FAMILIES = {
    "bert": bert,
    "roberta": roberta,
    "roberta-untrimmed": lambda: roberta(trim_offsets=False),
    "sentencepiece": sentencepiece,
    "xlm-roberta": xlm_roberta,
    "xlnet": xlnet,
}


def _unigram(special: list[str], *, unknown: str, normalizer: Any) -> Tokenizer:
    """Pieces that BPE learnt early are likelier; one piece is always likelier than two."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    metaspace = pre_tokenizers.Metaspace(prepend_scheme="always")
    learnt = sorted(_learn(normalizer, metaspace).items(), key=lambda piece: piece[1])
    scores = [*((token, 0.0) for token in special), *((piece, -5.0 - place / 200) for piece, place in learnt)]
    backend = Tokenizer(models.Unigram(scores, unk_id=special.index(unknown)))
    backend.normalizer = normalizer
    backend.pre_tokenizer = metaspace
    backend.decoder = decoders.Metaspace(prepend_scheme="always")
    backend.add_special_tokens(special)
    return backend


def _learn(normalizer: Any, pre_tokenizer: Any) -> dict[str, int]:
    """Pieces in the order BPE learnt them. Its trainer alone gives the same on every run, so all families use it."""
    from tokenizers import Tokenizer, models, trainers

    learner = Tokenizer(models.BPE())
    learner.normalizer, learner.pre_tokenizer = normalizer, pre_tokenizer
    learner.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=450, show_progress=False))
    return learner.get_vocab()


def _template(pair: str, backend: Tokenizer, *special: str) -> Any:
    from tokenizers import processors

    tokens = [(token, backend.token_to_id(token)) for token in special]
    return processors.TemplateProcessing(single="$A", pair=pair, special_tokens=tokens)


def _wrap(backend: Tokenizer, **options: Any) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(tokenizer_object=backend, **options)
