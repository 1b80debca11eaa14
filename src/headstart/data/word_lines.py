"""Sentences of a file with a word a line → raw sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from headstart.data.checks import fatal
from headstart.data.column_names import quoted
from headstart.data.conll import Block, Form, Token, blocks_of, conllu_tokens, find_form
from headstart.data.offsets import Finding
from headstart.data.records import ABSENT, Origin
from headstart.data.word_checks import RawWords
from headstart.data.word_columns import Places, find_places
from headstart.errors import DataError

_LOOKED_AT = 200  # sentences from which the columns are told


def read_lines(text: str, origin: Origin) -> Iterator[RawWords]:
    """Yield the sentences of CoNLL columns or CoNLL-U; the columns are found at once."""
    form = find_form(text)
    blocks = blocks_of(text, form)
    first = list(islice(blocks, _LOOKED_AT))
    if not first:
        raise DataError(origin.noun, f"{origin.label}, which has none", "check how the file was made")
    places = find_places(form, first, origin)
    if places.has_header:
        first[0].rows = first[0].rows[1:]
    kept = (block for block in chain(first, blocks) if block.rows)
    return (_sentence(number, block, form, places, origin) for number, block in enumerate(kept))


def _sentence(number: int, block: Block, form: Form, places: Places, origin: Origin) -> RawWords:
    place = f"{origin.label}, sentence {number}, line {block.rows[0][0]}"
    identity = block.comments.get(places.id, block.comments.get("id", ABSENT))
    tokens = conllu_tokens(block) if form.is_conllu else [Token(line, fields) for line, fields in block.rows]
    findings = tuple(_column_faults(tokens, form, places, origin))
    words = [_field(token, places.word) for token in tokens]
    tags = None if places.tag is None else [_tag(token, places.tag, form) for token in tokens]
    blanks = [token.blank_after for token in tokens]
    text = block.comments.get("text") if form.is_conllu else None
    return RawWords(place, f"{origin.stem}:{number}", identity, words, tags, text, blanks, findings)


def _field(token: Token, place: int) -> str:
    return token.fields[place] if place < len(token.fields) else ""


def _tag(token: Token, place: int, form: Form) -> str:
    """CoNLL-U writes _ where a word has no part of speech."""
    tag = _field(token, place)
    return "" if form.is_conllu and tag == "_" and place in (3, 4) else tag


def _column_faults(tokens: Sequence[Token], form: Form, places: Places, origin: Origin) -> Iterator[Finding]:
    """Find the first line with too few columns, or with so many that it is in doubt which is the tag."""
    needed = 1 + max(places.word, places.tag if places.tag is not None and origin.labelled else 0)
    is_last = origin.wish("tags") is None and not form.is_conllu
    for token in tokens:
        width = len(token.fields)
        if width < (max(needed, form.width) if is_last and origin.labelled else needed):
            yield fatal("too few columns", _found(token, form), "write word and tag, or take the line out")
            return
        if is_last and width > form.width:
            yield fatal("too many columns", _found(token, form), "separate by tabs where words hold blanks")
            return


def _found(token: Token, form: Form) -> str:
    return f"line {token.line} has {len(token.fields)} columns where others have {form.width}: {quoted(token.fields)}"
