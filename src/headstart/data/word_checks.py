"""Checks: from a sentence as a file holds it to an example that can be trusted, with every fault named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headstart.data.checks import broken_characters, check_id, fatal, left_out, named
from headstart.data.offsets import Finding, short
from headstart.data.records import Diagnosis, is_missing
from headstart.data.word_text import join_words, place_words
from headstart.examples import WordsExample

_BLANKS = " \t\r\n\v\f"  # other spaces, such as the no-break one, do occur as words


@dataclass(frozen=True, slots=True)
class RawWords:
    """A sentence as a file holds it, nothing checked; `tags` is None where nothing is said about them.

    `text` is what the words were cut from, as far as known, `blanks` tells which words have a blank after them, and
    `findings` are the faults met on the way here.
    """

    place: str
    made_up_id: str
    id: object
    words: Sequence[object]
    tags: Sequence[object] | None
    text: object = None
    blanks: Sequence[bool] | None = None
    findings: tuple[Finding, ...] = ()


def examine_words(raw: RawWords, *, labelled: bool = True) -> Diagnosis[WordsExample]:
    """Turn a raw sentence into an example.

    >>> examine_words(RawWords("a.conll, sentence 0", "a:0", 7, ["John", "'s"], ["B-x", "O"], "John's")).example
    WordsExample(id='7', words=('John', "'s"), tags=('B-x', 'O'), text="John's", starts=(0, 4), \
place='a.conll, sentence 0')
    """
    name, findings = check_id(raw.id, raw.made_up_id)
    findings += [*raw.findings, *_word_faults(raw.words)]
    tags, about_tags = (None, []) if raw.findings else _tags(raw, labelled=labelled)
    findings += about_tags
    if any(finding.fatal for finding in findings):
        return left_out(raw.place, name, findings)
    words = tuple(str(word) for word in raw.words)
    starts = place_words(words, raw.text) if isinstance(raw.text, str) else None
    text, starts = (str(raw.text), starts) if starts is not None else join_words(words, raw.blanks)
    example = WordsExample(name, words, tags, text, starts, raw.place)
    return Diagnosis(example, tuple(named(raw.place, name, finding, "example") for finding in findings))


def _word_faults(words: Sequence[object]) -> Iterator[Finding]:
    """Find the first word that is none."""
    if not words:
        yield fatal("no words", "the sentence has no words", "give it words or take it out")
    for number, word in enumerate(words, start=1):
        if not isinstance(word, str) and not is_missing(word):
            yield fatal("wrong type", f"word {number} is {short(word)}, not a text", "write each word as a text")
            return
        if not isinstance(word, str) or not word.strip(_BLANKS):
            yield fatal("empty word", f"word {number} is {short(word)}", "write the word or take it out with its tag")
            return
        if faults := list(broken_characters(word, f"word {number}")):
            yield from faults
            return


def _tags(raw: RawWords, *, labelled: bool) -> tuple[tuple[str, ...] | None, list[Finding]]:
    """Read the tags: None where the sentence has none, or lacks some, and none are needed."""
    if not raw.tags:
        return None, [_no_tags(raw.tags)] if labelled and raw.words else []
    if len(raw.tags) != len(raw.words):
        found = f"{len(raw.words)} words and {len(raw.tags)} tags"
        return None, [fatal("different numbers of words and tags", found, "give each word one tag")]
    missing = next((number for number, tag in enumerate(raw.tags) if is_missing(tag)), None)
    if missing is not None:
        found = f"word {missing + 1} ({short(raw.words[missing])}) has no tag"
        return None, [fatal("missing tag", found, "give each word a tag")] if labelled else []
    wrong = next((tag for tag in raw.tags if not isinstance(tag, (str, int))), None)
    if wrong is not None:
        return None, [fatal("wrong type", f"a tag is {short(wrong)}", "write each tag as a text")]
    return _written(raw.tags)


def _no_tags(tags: Sequence[object] | None) -> Finding:
    found = "the row says nothing about tags" if tags is None else "the list of tags is empty"
    return fatal("missing tags", found, "give each word a tag")


def _written(tags: Sequence[object]) -> tuple[tuple[str, ...], list[Finding]]:
    """Take tags as texts: numbers are written out, blanks around them taken off."""
    texts = [str(int(tag)) if isinstance(tag, int) else str(tag) for tag in tags]
    names = tuple(text.strip() for text in texts)
    findings = [finding for name in dict.fromkeys(names) for finding in broken_characters(name, "tag")]
    odd = next((text for text, name in zip(texts, names, strict=True) if text != name), None)
    if odd is not None:
        found = f"tag {short(odd)}"
        findings.append(Finding("blanks around tag", found, "the blanks were taken off", repaired=True))
    return names, findings
