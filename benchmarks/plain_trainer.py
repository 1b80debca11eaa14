"""One training run as transformers' own examples have it: what the scores of headstart's other tasks stand beside.

    python benchmarks/plain_trainer.py '{"task": "regression", "train": ["train.csv"], "validation": ["test.csv"],
        "columns": {"text": "1", "text_pair": "2", "label": "3"}, "encoder": "all-MiniLM-L6-v2", "epochs": 2,
        "learning_rate": 1e-4, "seed": 1, "limit": null}'

prints one line of JSON: `scores`, and `seconds` by stage. `datasets.map` tokenises, a collator pads each batch to its
longest, `Trainer` does the rest with its defaults (batches of 8, float32, a linear fall without warm-up). Runs alone in
a process. The data are read and the predictions scored by headstart's code, so that both sides have the same.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from datasets import Dataset
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from headstart.data import read_texts, read_words
from headstart.encoders import resolve
from headstart.examples import TextExample, WordsExample
from headstart.metrics.entities import entity_counts, entity_scores
from headstart.metrics.labels import confusion, label_scores
from headstart.metrics.numbers import number_scores
from headstart.tags import OUTSIDE, entity_types, is_bio

IGNORED = -100  # what losses pass over
CUT_BY_BYTES = ("gpt2", "roberta", "deberta")  # tokenizers that take words only with a blank before each

Found = dict[str, Any]
Logits = npt.NDArray[np.floating[Any]]


# -- texts with a label or a number ------------------------------------------------------------------------------


class Classification:
    """Texts, or pairs of texts, and their labels."""

    head: ClassVar[Any] = AutoModelForSequenceClassification
    collator: ClassVar[Any] = DataCollatorWithPadding
    numbers: ClassVar[bool] = False

    def __init__(self, examples: Sequence[TextExample]) -> None:
        self.names = sorted({str(example.label) for example in examples})
        self.config = name_config(self.names)

    @classmethod
    def read(cls, sources: Sequence[str], **options: Any) -> Sequence[TextExample]:
        """The examples of some files."""
        return read_texts(sources, numbers=cls.numbers, **options).examples

    @staticmethod
    def tokenizer(encoder: str) -> Any:
        """The encoder's own."""
        return AutoTokenizer.from_pretrained(encoder)

    def tokenized(self, examples: Sequence[TextExample], tokenizer: Any, *, labelled: bool) -> Dataset:
        """Token ids and, to train on, labels."""
        rows = Dataset.from_list([{"text": one.text, "text_pair": one.text_pair} for one in examples])
        pairs = any(one.text_pair is not None for one in examples)

        def prepare(batch: dict[str, list[Any]]) -> Any:
            return tokenizer(batch["text"], batch["text_pair"] if pairs else None, truncation=True)

        rows = rows.map(prepare, batched=True, remove_columns=rows.column_names)
        return rows.add_column("label", [self.target(one) for one in examples]) if labelled else rows

    def target(self, example: TextExample) -> int | float:
        """What the model is to learn."""
        return self.names.index(str(example.label))

    def scores(self, examples: Sequence[TextExample], logits: Logits, rows: Dataset) -> dict[str, float]:
        """Of the most probable labels; a label that training did not show has a place of its own, always wrong."""
        place = {name: number for number, name in enumerate(self.names)}
        gold = [place.get(str(example.label), len(place)) for example in examples]
        return label_scores(confusion(gold, logits.argmax(axis=-1), len(place) + 1))


class Regression(Classification):
    """Texts, or pairs of texts, and their numbers: a label of one class is a number to transformers."""

    numbers: ClassVar[bool] = True

    def __init__(self, examples: Sequence[TextExample]) -> None:
        self.config = {"num_labels": 1}

    def target(self, example: TextExample) -> float:
        """The number as it is."""
        return _number(example)

    def scores(self, examples: Sequence[TextExample], logits: Logits, rows: Dataset) -> dict[str, float]:
        """Of the numbers that the model gave."""
        return number_scores([_number(example) for example in examples], logits.reshape(-1))


def _number(example: TextExample) -> float:
    assert example.label is not None, f"{example.place}: no number"
    return float(example.label)


# -- words with tags ---------------------------------------------------------------------------------------------


class Tagging:
    """Sentences of words and their tags: the first piece of a word is labelled, the others are passed over."""

    head: ClassVar[Any] = AutoModelForTokenClassification
    collator: ClassVar[Any] = DataCollatorForTokenClassification

    def __init__(self, examples: Sequence[WordsExample]) -> None:
        self.names = sorted({tag for example in examples for tag in example.tags or ()})
        self.config = name_config(self.names)

    @staticmethod
    def read(sources: Sequence[str], **options: Any) -> Sequence[WordsExample]:
        """The sentences of some files."""
        return read_words(sources, **options).examples

    @staticmethod
    def tokenizer(encoder: str) -> Any:
        """The encoder's own, ready for words."""
        blank = AutoConfig.from_pretrained(encoder).model_type in CUT_BY_BYTES
        return AutoTokenizer.from_pretrained(encoder, **({"add_prefix_space": True} if blank else {}))

    def tokenized(self, examples: Sequence[WordsExample], tokenizer: Any, *, labelled: bool) -> Dataset:
        """Token ids, the word of each token and, to train on, labels."""
        rows = Dataset.from_list([{"words": list(one.words), "tags": list(one.tags or ())} for one in examples])
        number = {name: place for place, name in enumerate(self.names)}

        def prepare(batch: dict[str, list[Any]]) -> Any:
            made = tokenizer(batch["words"], truncation=True, is_split_into_words=True)
            words = made["word_ids"] = [made.word_ids(place) for place in range(len(batch["words"]))]
            if labelled:
                tags = [[number[tag] for tag in sentence] for sentence in batch["tags"]]
                made["labels"] = [first_piece_labels(*both) for both in zip(words, tags, strict=True)]
            return made

        return rows.map(prepare, batched=True, remove_columns=rows.column_names)

    def scores(self, examples: Sequence[WordsExample], logits: Logits, rows: Dataset) -> dict[str, float]:
        """Accuracy over all words and, of tags that mark entities, their precision, recall and F1."""
        best, gold = logits.argmax(axis=-1), [list(example.tags or ()) for example in examples]
        found = [
            word_tags(words, [self.names[number] for number in numbers[: len(words)]], len(tags))
            for words, numbers, tags in zip(rows["word_ids"], best, gold, strict=True)
        ]
        return tag_scores(gold, found, marks_entities=is_bio(self.names))


def first_piece_labels(words: Iterable[int | None], tags: Sequence[int]) -> list[int]:
    """One label a token: the tag of its word for a word's first piece, nothing for others and for special tokens.

    >>> first_piece_labels([None, 0, 0, 1, None], [7, 8])
    [-100, 7, -100, 8, -100]
    """
    labels, before = [], None
    for word in words:
        labels.append(IGNORED if word is None or word == before else tags[word])
        before = word
    return labels


def word_tags(words: Sequence[int | None], tags: Sequence[str], count: int) -> list[str]:
    """One tag a word: that of its first piece; O for a word that the model never saw, without pieces or behind the cut.

    >>> word_tags([None, 0, 0, 1, None], ["O", "B-PER", "O", "I-PER", "O"], 3)
    ['B-PER', 'I-PER', 'O']
    """
    found = [OUTSIDE] * count
    for place, word in reversed(list(enumerate(words))):  # the first piece has the last say
        if word is not None:
            found[word] = tags[place]
    return found


def tag_scores(gold: Sequence[list[str]], found: Sequence[list[str]], *, marks_entities: bool) -> dict[str, float]:
    """Scores over the words, and entities, of all sentences.

    >>> tag_scores([["NOUN", "VERB"]], [["NOUN", "ADJ"]], marks_entities=False)
    {'accuracy': 0.5}
    """
    right = [a == b for sentence, tags in zip(gold, found, strict=True) for a, b in zip(sentence, tags, strict=True)]
    scores = {"accuracy": float(np.mean(right))}
    if marks_entities:
        types = entity_types(tag for sentence in (*gold, *found) for tag in sentence)
        counts = [entity_counts(sentence, tags, types) for sentence, tags in zip(gold, found, strict=True)]
        scores |= entity_scores(np.sum(counts, axis=0))
    return scores


def name_config(names: Sequence[str]) -> dict[str, Any]:
    """How a model is told what its outputs are called.

    >>> name_config(["no", "yes"])
    {'num_labels': 2, 'id2label': {0: 'no', 1: 'yes'}, 'label2id': {'no': 0, 'yes': 1}}
    """
    numbers = {name: number for number, name in enumerate(names)}
    return {"num_labels": len(names), "id2label": dict(enumerate(names)), "label2id": numbers}


# -- the run -----------------------------------------------------------------------------------------------------

FAMILIES: dict[str, Any] = {"classification": Classification, "regression": Regression, "tagging": Tagging}


def run(
    *,
    task: str,
    train: Sequence[str],
    validation: Sequence[str],
    columns: dict[str, str],
    encoder: str,
    epochs: float,
    learning_rate: float,
    seed: int,
    limit: int | None,
) -> Found:
    """Train, predict and score."""
    folder, family, clock = resolve(encoder), FAMILIES[task], Clock()
    learnt = family.read(train, role="train", columns=columns, limit=limit)
    asked = family.read(validation, role="validation", columns=columns, limit=limit)
    kind, tokenizer = family(learnt), family.tokenizer(folder)
    set_seed(seed)  # of the head's weights
    model = kind.head.from_pretrained(folder, **kind.config)
    clock.read("load")
    rows = kind.tokenized(learnt, tokenizer, labelled=True)
    asked_rows = kind.tokenized(asked, tokenizer, labelled=False)
    clock.read("prepare")
    with tempfile.TemporaryDirectory() as output:
        trainer = Trainer(
            model=model,
            args=arguments(output, epochs=epochs, learning_rate=learning_rate, seed=seed),
            train_dataset=rows,
            data_collator=kind.collator(tokenizer),
            processing_class=tokenizer,
        )
        clock.read("load")
        trainer.train()
        clock.read("train")
        logits = trainer.predict(asked_rows).predictions
        clock.read("evaluate")
    facts = {"examples": len(learnt), "steps": trainer.state.global_step, "device": str(trainer.args.device)}
    return {"scores": kind.scores(asked, logits, asked_rows), "seconds": clock.seconds, **facts}


def arguments(output: str, *, epochs: float, learning_rate: float, seed: int) -> TrainingArguments:
    """Trainer's defaults; checkpoints, logs and bars, which take time and train nothing, are off."""
    return TrainingArguments(
        output_dir=output,
        num_train_epochs=epochs,
        learning_rate=learning_rate,
        seed=seed,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.last = time.perf_counter()

    def read(self, stage: str) -> None:
        """Count what has passed since the last reading."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.last
        self.last = now


if __name__ == "__main__":
    print(json.dumps(run(**json.loads(sys.argv[1]))))
