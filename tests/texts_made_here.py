"""Hypothesis strategies: passages in several scripts, and answers marked in them."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

from headstart.examples import Answer, QuestionExample
from tokenizers_made_here import SENTENCES

WORDS = sorted({word for sentence in SENTENCES for word in sentence.split()})
ODD_WORDS = (
    "e\u0301",
    "か\u3099き",
    "ﬁn",
    "①",
    "☃\ufe0f",
    "1️⃣",
    "👩🏽‍🚀",
    "x\u200by",
    "a\u00adb",
    "नमस्ते",
    "İzmir",
    "[SEP]",
    "…",
)
BLANKS = (" ", " ", " ", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", " \u2009 ")

known_words = st.sampled_from(WORDS)
any_words = st.one_of(
    known_words,
    st.sampled_from(ODD_WORDS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁"), min_size=1, max_size=6).filter(
        lambda word: word == word.strip()
    ),
)


@st.composite
def labelled(draw, words=any_words, annotators: int = 3, whole_words: bool = False) -> QuestionExample:
    """A question, a passage of up to 30 words and answers between word or (unless `whole_words`) character borders."""
    context, borders = draw(passages(words))
    answers = draw(st.lists(marked(context, borders, whole_words), min_size=0, max_size=annotators))
    question = " ".join(draw(st.lists(words, min_size=1, max_size=5)))
    return QuestionExample("q", draw(st.sampled_from(("", " ", "\t \n"))) + question, context, tuple(answers))


@st.composite
def passages(draw, words=any_words) -> tuple[str, list[tuple[int, int]]]:
    """A text and the characters of each of its words."""
    text, borders = draw(st.sampled_from(("", "", "  ", "\n"))), []
    for word in draw(st.lists(words, min_size=1, max_size=30)):
        borders.append((len(text), len(text) + len(word)))
        text += word + draw(st.sampled_from(BLANKS))
    return text[: borders[-1][1]] + draw(st.sampled_from(("", "", " ", "\r\n"))), borders


@st.composite
def marked(draw, text: str, borders: list[tuple[int, int]], whole_words: bool) -> Answer:
    """An answer from one word to another, or from a character to another; no blanks at its ends."""
    places = st.integers(0, len(borders) - 1)
    first, last = sorted((draw(places), draw(places)))
    start, end = borders[first][0], borders[last][1]
    if not whole_words and draw(st.booleans()):
        inked = [place for place in range(start, end) if not text[place].isspace()]
        picks = st.integers(0, len(inked) - 1)
        one, other = sorted((draw(picks), draw(picks)))
        start, end = inked[one], inked[other] + 1
    return Answer(text[start:end], start)


def trimmed(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What honest offsets are, character by character: no blanks at the ends, free marks to the letter before.

    `offsets` must be those of the whole text: a mark is free where no token of it holds it.
    """
    claimed, honest = set(), []
    for start, end in offsets:
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        claimed.update(range(start, end))
        honest.append((start, end))
    return [(start, _behind_marks(text, end, claimed) if start < end else end) for start, end in honest]


def _behind_marks(text: str, end: int, claimed: set[int]) -> int:
    while end < len(text) and end not in claimed and unicodedata.category(text[end])[0] == "M":
        end += 1
    return end
