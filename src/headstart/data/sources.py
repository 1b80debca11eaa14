"""What headstart reads: questions, texts with a label or a number, sentences of words with tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headstart.data.gathering import OnBadData, Wishes, read_sources
from headstart.data.hub import Role
from headstart.data.questions import QuestionReader
from headstart.data.records import ReadData
from headstart.data.text_rows import TextReader
from headstart.data.words import WordsReader
from headstart.examples import QuestionExample, TextExample, WordsExample


def read_questions(
    sources: Sequence[str],
    *,
    role: Role = "train",
    columns: Mapping[str, str] | None = None,
    on_bad_data: OnBadData = "stop",
    limit: int | None = None,
    labelled: bool = True,
) -> ReadData[QuestionExample]:
    """Read questions from files, folders, the built-in `sample` and hub ids, and check every one.

    Files may be official SQuAD JSON (1.1, 2.0), flat JSON, JSON lines, CSV, TSV or Parquet, the text formats also
    packed (.gz). Small faults are repaired; other ones stop the run or are left out by name. All is in `problems`.

    Args:
        sources: paths, `sample`, or hub ids (`squad`, `user/name:config@validation[:100]`).
        role: which split to take where a source has several.
        columns: our column names → those of flat sources, as in `{"question": "query"}`. A source that lacks the
            given name is read by ours.
        on_bad_data: whether faults beyond repair stop the run or are left out.
        limit: read at most so many questions, in the order of the sources.
        labelled: whether answers are needed; without, a question whose row does not speak of them has answers None.

    Raises:
        DataError: a source cannot be read, has faults (on "stop") or leaves no example.
        SettingsError: the arguments do not make sense.

    >>> data = read_questions(["sample"], limit=20)
    >>> data.rows, len(data.examples), data.left_out
    (20, 20, 0)
    """
    return read_sources(sources, QuestionReader(), Wishes(role, columns, on_bad_data, limit, labelled))


def read_texts(
    sources: Sequence[str],
    *,
    role: Role = "train",
    columns: Mapping[str, str] | None = None,
    on_bad_data: OnBadData = "stop",
    limit: int | None = None,
    labelled: bool = True,
    numbers: bool = False,
) -> ReadData[TextExample]:
    r"""Read texts, or pairs of texts, each with a label or a number, and check every one.

    Files may be CSV or TSV with or without a header, JSON lines, JSON or Parquet. Columns are found by the names in
    common use (`sentence`, `premise` and `hypothesis`, `score` …), without a header by what they hold.

    Args:
        sources: paths or hub ids (`glue:sst2`, `user/name:config@validation[:100]`).
        role: which split to take where a source has several.
        columns: our column names (id, text, text_pair, label) → those of the sources, or their numbers in a CSV or TSV
            file, counted from 1.
        on_bad_data: whether faults beyond repair stop the run or are left out.
        limit: read at most so many examples, in the order of the sources.
        labelled: whether labels are needed; without, a row that has none gives an example with the label None.
        numbers: whether labels are numbers, to be predicted as such, rather than the names of classes.

    Raises:
        DataError: a source cannot be read, its columns are in doubt, it has faults (on "stop") or leaves no example.
        SettingsError: the arguments do not make sense.

    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mine.tsv"
    ...     _ = file.write_text("what a fine film\t1\nwhat a waste of time\t0\n")
    ...     data = read_texts([str(file)])
    >>> [(example.text, example.label) for example in data.examples]
    [('what a fine film', '1'), ('what a waste of time', '0')]
    """
    return read_sources(sources, TextReader(numbers), Wishes(role, columns, on_bad_data, limit, labelled))


def read_words(
    sources: Sequence[str],
    *,
    role: Role = "train",
    columns: Mapping[str, str] | None = None,
    on_bad_data: OnBadData = "stop",
    limit: int | None = None,
    labelled: bool = True,
) -> ReadData[WordsExample]:
    r"""Read sentences of words, each word with a tag, and check every one.

    Files may be columns with a word a line (CoNLL, CoNLL-U), or JSON lines, JSON and Parquet with a list of words and
    one of tags in each row.

    Args:
        sources: paths or hub ids.
        role: which split to take where a source has several.
        columns: our column names (id, words, tags) → those of the sources; in files with a word a line, numbers
            counted from 1, or the names that CoNLL-U gives its columns, as in `{"tags": "xpos"}`.
        on_bad_data: whether faults beyond repair stop the run or are left out.
        limit: read at most so many sentences, in the order of the sources.
        labelled: whether tags are needed; without, a sentence that lacks one gives an example with tags None.

    Raises:
        DataError: a source cannot be read, its columns are in doubt, it has faults (on "stop") or leaves no example.
        SettingsError: the arguments do not make sense.

    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mine.conll"
    ...     _ = file.write_text("Ada B-person\nwrote O\n\nYes O\n")
    ...     data = read_words([str(file)])
    >>> data.examples[0].words, data.examples[0].tags
    (('Ada', 'wrote'), ('B-person', 'O'))
    """
    return read_sources(sources, WordsReader(), Wishes(role, columns, on_bad_data, limit, labelled))
