"""Files with a word a line and a blank line after each sentence: CoNLL columns and CoNLL-U."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

CONLLU: Final = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""What CoNLL-U calls its ten columns."""

_NUMBER: Final = re.compile(r"\d+(?:[-.]\d+)?")  # a word, a multiword token 1-2, an empty node 8.1
_COMMENT: Final = re.compile(r"#\s*([^\s=]+)\s*=\s*(.*)|#\s*(id)\s+(\S+).*")
_MARKS: Final = ("#begin document", "#end document")  # of CoNLL-2012
_DOCUMENT: Final = "-DOCSTART-"
_LOOKED_AT: Final = 20_000  # lines from which the form of a file is told


@dataclass(frozen=True, slots=True)
class Form:
    """How a file writes its columns: tabs or blanks between them, how many most lines have, CoNLL-U or not.

    `last` are the last fields of the lines that are no comments: what tells a word "#" from a comment.
    """

    tabs: bool
    width: int
    is_conllu: bool
    last: frozenset[str] = frozenset()

    def split(self, line: str) -> list[str]:
        """Cut a line into fields. Between tabs, words may hold blanks; no other blank separates anything."""
        return line.split("\t") if self.tabs else re.split("[ \t]+", line.strip(" \t"))

    def is_comment(self, line: str) -> bool:
        """Whether a line is a comment, and not a word that starts with #."""
        if not line.startswith("#") or (line[1:2].strip() and not line.startswith(_MARKS) and not self.is_conllu):
            return False
        fields = self.split(line)
        is_word = len(fields) == self.width and (self.tabs or fields[-1] in self.last)
        return self.is_conllu or not is_word


@dataclass(slots=True)
class Block:
    """The lines of a sentence: the line it starts on, what its comments say, and line and fields of each word."""

    line: int = 0
    comments: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


def find_form(text: str) -> Form:
    r"""Tell how a file is written, by most of its lines.

    >>> find_form("EU\tB-ORG\nrejects\tO\n").width
    2
    """
    lines = [line for line in text.split("\n", _LOOKED_AT)[:_LOOKED_AT] if line.strip(" \t\r")]
    words = [line.rstrip("\r") for line in lines if not line.startswith(("# ", "#\t", *_MARKS, _DOCUMENT))] or lines
    tabs = 2 * sum("\t" in line for line in words) >= len(words)
    form = Form(tabs, 0, False)
    fields = [form.split(line) for line in words]
    width = Counter(map(len, fields)).most_common(1)[0][0] if fields else 0
    numbered = sum(_NUMBER.fullmatch(one[0]) is not None for one in fields)
    is_conllu = tabs and width == len(CONLLU) and 10 * numbered >= 9 * len(fields)
    return Form(tabs, width, is_conllu, frozenset(one[-1] for one in fields))


def is_numbered(blocks: Sequence[Block]) -> bool:
    """Whether the first column counts the words of each sentence, from 0 or 1."""
    counts = [[fields[0] for _, fields in block.rows] for block in blocks]
    is_counted = [count in ([str(n + start) for n in range(len(count))] for start in (0, 1)) for count in counts]
    return all(is_counted) and any(len(count) > 1 for count in counts)


def blocks_of(text: str, form: Form) -> Iterator[Block]:
    """Yield the sentences; a blank line or `-DOCSTART-` ends one."""
    block = Block()
    for number, ended in enumerate(text.split("\n"), start=1):  # splitlines() would split at U+2028 inside a word
        line = ended.rstrip("\r")
        if not line.strip(" \t") or line.startswith(_DOCUMENT):
            if block.rows:
                yield block
            block = Block() if block.rows or line.strip(" \t") else block
        elif form.is_comment(line):
            _note(line, block)
        else:
            block.line = block.line or number
            block.rows.append((number, form.split(line)))
    if block.rows:
        yield block


def _note(line: str, block: Block) -> None:
    if match := _COMMENT.fullmatch(line):
        key, value, name, identity = match.groups()
        block.comments.setdefault(key or name, value if key else identity)


@dataclass(frozen=True, slots=True)
class Token:
    """A word as a line holds it, and whether a blank follows it in the text."""

    line: int
    fields: Sequence[str]
    blank_after: bool = True


def conllu_tokens(block: Block) -> list[Token]:
    """Take the words out of CoNLL-U: no empty nodes, and the parts of a multiword token rather than the token.

    Where the parts make up the token ("do" + "n't"), no blank stands between them.
    """
    tokens: list[Token] = []
    inside: dict[str, bool] = {}  # number of a part → whether a blank follows it
    for line, fields in block.rows:
        number = fields[0] if _NUMBER.fullmatch(fields[0]) else ""
        if "-" in number:
            inside = _parts(fields, block)
        elif "." not in number:
            tokens.append(Token(line, fields, inside.get(number, _has_blank_after(fields))))
    return tokens


def _parts(token: Sequence[str], block: Block) -> dict[str, bool]:
    first, last = map(int, token[0].split("-"))
    words = [fields for _, fields in block.rows if fields[0].isdecimal() and first <= int(fields[0]) <= last]
    is_sum = len(token) > 1 and "".join(fields[1] for fields in words if len(fields) > 1) == token[1]
    return {fields[0]: not is_sum for fields in words} | {str(last): _has_blank_after(token)}


def _has_blank_after(fields: Sequence[str]) -> bool:
    return not (len(fields) == len(CONLLU) and "SpaceAfter=No" in fields[-1].split("|"))
