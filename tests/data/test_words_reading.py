"""Sentences of words with tags: CoNLL columns, CoNLL-U and tables of lists."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headstart.data import ReadData, read_words
from headstart.data.word_text import join_words, place_words
from headstart.errors import DataError, SettingsError
from headstart.examples import WordsExample

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"

CONLL_2003 = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""

CONLLU = """# newdoc id = d1
# sent_id = s-1
# text = I don't know.
1\tI\tI\tPRON\tPRP\t_\t0\troot\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVBP\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\tRB\t_\t0\troot\t_\t_
4\tknow\tknow\tVERB\tVB\t_\t0\troot\t_\tSpaceAfter=No
5\t.\t.\tPUNCT\t.\t_\t0\troot\t_\t_

# sent_id = s-2
# text = Ada left and Bo too
1\tAda\tAda\tPROPN\tNNP\t_\t0\troot\t_\t_
2\tleft\tleave\tVERB\tVBD\t_\t0\troot\t_\t_
3\tand\tand\tCCONJ\tCC\t_\t0\troot\t_\t_
4\tBo\tBo\tPROPN\tNNP\t_\t0\troot\t_\t_
4.1\tleft\tleave\tVERB\tVBD\t_\t_\t_\t_\t_
5\ttoo\ttoo\tADV\tRB\t_\t0\troot\t_\t_
"""


def save(path: Path, text: str) -> str:
    path.write_bytes(text.encode())
    return str(path)


def save_lines(path: Path, *rows: object) -> str:
    return save(path, "".join(json.dumps(row) + "\n" for row in rows))


def pairs(data: ReadData[WordsExample]) -> list[list[tuple[str, str]]]:
    return [list(zip(one.words, one.tags or ("?",) * len(one.words), strict=True)) for one in data.examples]


def read(source: str, **options: Any) -> list[list[tuple[str, str]]]:
    return pairs(read_words([source], **options))


# -- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.conll", "a.iob", "a.iob2", "a.bio", "a.txt", "a.tsv", "a.conllu", "a.conll.gz"])
def test_columns_between_blanks(tmp_path: Path, name: str) -> None:
    data = CONLL_2003.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    source = str(tmp_path / name)
    assert read(source) == [
        [("EU", "B-ORG"), ("rejects", "O")], [("Peter", "B-PER"), ("Blackburn", "I-PER")]
    ]  # fmt: skip
    assert read(source, columns={"tags": "2"})[0] == [("EU", "NNP"), ("rejects", "VBZ")]
    data_read = read_words([source])
    assert [one.id for one in data_read.examples] == ["a:0", "a:1"]
    assert [one.place for one in data_read.examples] == [
        f"{source}, sentence 0, line 3",
        f"{source}, sentence 1, line 6",
    ]
    assert data_read.examples[0].text == "EU rejects"
    assert data_read.examples[0].starts == (0, 3)
    assert (data_read.rows, data_read.problems) == (2, ())


def test_words_keep_their_blanks_between_tabs(tmp_path: Path) -> None:
    text = "New York\tB-LOC\r\nis\tO\r\n\t\r\n#\tO\r\n# one\tO\r\n"
    assert read(save(tmp_path / "a.conll", text)) == [
        [("New York", "B-LOC"), ("is", "O")], [("#", "O"), ("# one", "O")]
    ]  # fmt: skip


def test_comments_and_words_that_look_like_them(tmp_path: Path) -> None:
    text = "# id 17ab domain=en\n# a comment\n#1 _ _ O\n# _ _ O\nof _ _ O\n\n# id 18 domain=en\nits _ _ B-x\n"
    data = read_words([save(tmp_path / "a.conll", text)])
    assert pairs(data) == [[("#1", "O"), ("#", "O"), ("of", "O")], [("its", "B-x")]]
    assert [one.id for one in data.examples] == ["17ab", "18"]


def test_a_header_line_names_the_columns(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tsv", "Token\tPOS\tNER\nAda\tNNP\tB-x\n\nis\tVBZ\tO\n")
    assert read(source) == [[("Ada", "B-x")], [("is", "O")]]
    assert read(source, columns={"tags": "pos"}) == [[("Ada", "NNP")], [("is", "VBZ")]]
    with pytest.raises(DataError, match="names token, pos, ner or a column number from 1 to 3"):
        read(source, columns={"tags": "lemma"})


def test_a_column_that_counts_the_words_is_no_word(tmp_path: Path) -> None:
    source = save(tmp_path / "a.conll", "1 Ada NNP\n2 is VBZ\n\n1 Yes UH\n")
    with pytest.raises(DataError, match="--columns words=2 tags=3"):
        read(source)
    assert read(source, columns={"words": "2"}) == [[("Ada", "NNP"), ("is", "VBZ")], [("Yes", "UH")]]


@pytest.mark.parametrize("wish", ["0", "5", "upos"])
def test_columns_that_are_not_there(tmp_path: Path, wish: str) -> None:
    with pytest.raises(DataError, match="a column number from 1 to 4"):
        read(save(tmp_path / "a.conll", CONLL_2003), columns={"tags": wish})


def test_lines_of_another_number_of_columns(tmp_path: Path) -> None:
    text = "Ada B-x\nis O\n\nNew York B-x\nYes O\n\nYes O\nNo\n\nNo O\n"
    source = save(tmp_path / "a.conll", text)
    data = read_words([source], on_bad_data="skip")
    assert [one.id for one in data.examples] == ["a:0", "a:3"]
    assert data.counts == {"too many columns": 1, "too few columns": 1}
    assert "line 4 has 3 columns where others have 2: 'New', 'York', 'B-x'" in data.problems[0].found
    assert data.problems[1].place == f"{source}, sentence 2, line 7"
    assert "line 8" in data.problems[1].found
    with pytest.raises(DataError, match="found 2 in 4 sentences"):
        read(source)


def test_words_without_tags(tmp_path: Path) -> None:
    source = save(tmp_path / "a.conll", "Ada\nis\n\nYes\n")
    with pytest.raises(DataError, match=r"columns of words and of tags; found .* with one column: 'Ada'"):
        read(source)
    data = read_words([source], labelled=False)
    assert [(one.words, one.tags) for one in data.examples] == [(("Ada", "is"), None), (("Yes",), None)]
    half = save(tmp_path / "b.conll", "Ada O\nis O\n\nYes\nNo O\n")
    assert [one.tags for one in read_words([half], labelled=False).examples] == [("O", "O"), None]


WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\r\n\0"), min_size=1, max_size=6).filter(
    lambda word: bool(word.strip(" \v\f")) and not word.startswith("-DOCSTART-")
)
SENTENCES = st.lists(
    st.lists(st.tuples(WORD, st.sampled_from(["O", "B-x", "I-x"])), min_size=1, max_size=5), min_size=1, max_size=5
)


@given(SENTENCES, st.booleans())
def test_any_words_between_tabs_come_back(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[Any], middle: bool
) -> None:
    assume(not middle or any(sentence[0][0] not in ("0", "1") for sentence in sentences))  # no column of numbers
    between = "\t_\t" if middle else "\t"
    text = "\n".join("".join(f"{word}{between}{tag}\n" for word, tag in sentence) for sentence in sentences)
    if text.startswith("\ufeff"):
        text = "\n" + text  # at the very start it would be a byte order mark
    source = save(tmp_path_factory.mktemp("data") / "a.conll", text)
    data = read_words([source])
    assert pairs(data) == sentences
    for one in data.examples:
        assert [one.text[start:end] for start, end in one.spans] == list(one.words)
        assert one.text == " ".join(one.words)


# -- CoNLL-U ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.conllu", "a.conll", "a.txt"])
def test_conllu(tmp_path: Path, name: str) -> None:
    source = save(tmp_path / name, CONLLU)
    data = read_words([source])
    first, second = data.examples
    assert (first.id, first.words, first.tags) == (
        "s-1", ("I", "do", "n't", "know", "."), ("PRON", "AUX", "PART", "VERB", "PUNCT")
    )  # fmt: skip
    assert (first.text, first.starts) == ("I don't know.", (0, 2, 4, 8, 12))
    assert (second.id, second.words) == ("s-2", ("Ada", "left", "and", "Bo", "too"))
    assert second.place == f"{source}, sentence 1, line 13"
    for wish in ("xpos", "XPOS", "5"):
        assert read_words([source], columns={"tags": wish}).examples[0].tags == ("PRP", "VBP", "RB", "VB", ".")
    assert read(source, columns={"words": "lemma", "tags": "upos"})[0][1] == ("do", "AUX")
    with pytest.raises(DataError, match="names id, form, lemma, upos"):
        read(source, columns={"tags": "ner"})


def test_the_text_is_made_of_the_words_where_the_file_has_none(tmp_path: Path) -> None:
    text = "".join(line + "\n" for line in CONLLU.split("\n") if not line.startswith("# text"))
    assert [one.text for one in read_words([save(tmp_path / "a.conllu", text)]).examples] == [
        "I don't know.", "Ada left and Bo too"
    ]  # fmt: skip


def test_a_multiword_token_that_is_not_made_of_its_parts(tmp_path: Path) -> None:
    rows = [
        "# text = Vámonos al mar.",
        "1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_",
        "1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_",
        "2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_",
        "3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_",
        "3\ta\ta\tADP\t_\t_\t5\tcase\t_\t_",
        "4\tel\tel\tDET\t_\t_\t5\tdet\t_\t_",
        "5\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\tSpaceAfter=No",
        "6\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_",
    ]
    source = save(tmp_path / "a.conllu", "\n".join(rows))
    (one,) = read_words([source]).examples
    assert one.text == "Vamos nos a el mar."
    assert [one.text[start:end] for start, end in one.spans] == list(one.words)
    with pytest.raises(DataError, match=r"missing tag: word 1 \('Vamos'\) has no tag"):
        read(source, columns={"tags": "xpos"})
    assert read_words([source], columns={"tags": "xpos"}, labelled=False).examples[0].tags is None


def test_the_underscore_is_a_word(tmp_path: Path) -> None:
    source = save(tmp_path / "a.conllu", "1\t_\t_\tSYM\tSYM\t_\t0\troot\t_\t_\n2\t#\t#\tSYM\tSYM\t_\t1\tx\t_\t_\n")
    assert read(source) == [[("_", "SYM"), ("#", "SYM")]]


def test_a_short_line_of_conllu(tmp_path: Path) -> None:
    source = save(
        tmp_path / "a.conllu", CONLLU.replace("4\tknow\tknow\tVERB\tVB\t_\t0\troot\t_\tSpaceAfter=No", "4\tknow")
    )
    data = read_words([source], on_bad_data="skip")
    assert (len(data.examples), data.counts) == (1, {"too few columns": 1})
    assert "line 8 has 2 columns" in data.problems[0].found


# -- tables -----------------------------------------------------------------------------------------------------------


def test_one_content_in_every_table(tmp_path: Path) -> None:
    import datasets
    import pyarrow
    import pyarrow.parquet

    rows = [
        {"id": "1", "tokens": ["New York", "is"], "ner_tags": ["B-x", "O"]},
        {"id": "2", "tokens": ["#"], "ner_tags": ["O"]},
    ]
    sources = [
        save_lines(tmp_path / "a.jsonl", *rows),
        save(tmp_path / "b.json", json.dumps({"data": rows})),
        str(tmp_path / "c.parquet"),
        str(tmp_path / "d"),
        save(tmp_path / "e.tsv", 'id\ttokens\tner_tags\n1\t["New York", "is"]\t["B-x", "O"]\n2\t["#"]\t["O"]\n'),
        save(
            tmp_path / "f.csv",
            'id,tokens,ner_tags\n1,"[""New York"", ""is""]","[""B-x"", ""O""]"\n2,"[""#""]","[""O""]"\n',
        ),
    ]  # fmt: skip
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sources[2])
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(rows).save_to_disk(sources[3])
    found = [read_words([source]) for source in sources]
    assert {data.fingerprint for data in found} == {found[0].fingerprint}
    assert pairs(found[0]) == [[("New York", "B-x"), ("is", "O")], [("#", "O")]]
    assert all(data.problems == () for data in found)


def test_names_of_tags_from_a_saved_data_set_and_its_parquet(tmp_path: Path) -> None:
    import datasets

    names = ["O", "B-PER", "I-PER"]
    features = datasets.Features({
        "id": datasets.Value("string"),
        "tokens": datasets.List(datasets.Value("string")),
        "pos_tags": datasets.List(datasets.ClassLabel(names=["NNP", "VB"])),
        "ner_tags": datasets.List(datasets.ClassLabel(names=names)),
    })  # fmt: skip
    row = {"id": "0", "tokens": ["Ada", "left"], "pos_tags": [0, 1], "ner_tags": [1, 0]}
    saved = datasets.Dataset.from_list([row, {**row, "id": "1", "ner_tags": [-1, 0]}], features=features)
    saved.save_to_disk(str(tmp_path / "saved"))
    saved.to_parquet(str(tmp_path / "a.parquet"))
    for source in (str(tmp_path / "saved"), str(tmp_path / "a.parquet")):
        with pytest.raises(DataError, match=r"holds the tags; .*--columns tags=ner_tags"):
            read(source)
        data = read_words([source], columns={"tags": "ner_tags"}, on_bad_data="skip")
        assert pairs(data) == [[("Ada", "B-PER"), ("left", "O")]]
        assert data.counts == {"missing tag": 1}
        assert read(source, columns={"tags": "pos_tags"})[0] == [("Ada", "NNP"), ("left", "VB")]


def test_numbers_without_names_are_written_out(tmp_path: Path) -> None:
    assert read(save_lines(tmp_path / "a.jsonl", {"words": ["a", "b"], "labels": [0, 12]})) == [
        [("a", "0"), ("b", "12")]
    ]


def test_upos_comes_before_xpos(tmp_path: Path) -> None:
    assert read(save_lines(tmp_path / "a.jsonl", {"tokens": ["a"], "xpos": ["DT"], "upos": ["DET"]})) == [
        [("a", "DET")]
    ]


def test_the_text_of_a_row(tmp_path: Path) -> None:
    rows = [{"words": ["Ada", "'s"], "tags": ["O", "O"], "text": text} for text in ("Ada's", "Ada is", None)]
    data = read_words([save_lines(tmp_path / "a.jsonl", *rows)])
    assert [(one.text, one.starts) for one in data.examples] == [
        ("Ada's", (0, 3)),
        ("Ada 's", (0, 4)),
        ("Ada 's", (0, 4)),
    ]


def test_one_sentence_is_a_document(tmp_path: Path) -> None:
    source = save(tmp_path / "a.json", '{"words": ["Ada", "left"]}')
    assert [one.words for one in read_words([source], labelled=False).examples] == [("Ada", "left")]


@pytest.mark.parametrize(
    ("changes", "kind", "found"),
    [
        ({"tags": ["O"]}, "different numbers of words and tags", "2 words and 1 tags"),
        ({"words": ["a", ""]}, "empty word", "word 2 is ''"),
        ({"words": ["a", " "]}, "empty word", "word 2 is ' '"),
        ({"words": ["a", None]}, "empty word", "word 2 is None"),
        ({"words": ["a", 7]}, "wrong type", "word 2 is 7"),
        ({"words": ["a", "\ud83d"]}, "broken character", "word 2"),
        ({"words": []}, "no words", "no words"),
        ({"words": "a b"}, "wrong type", "words is 'a b', not a list"),
        ({"words": "[a"}, "wrong type", "not JSON"),
        ({"tags": None}, "missing tags", "nothing about tags"),
        ({"tags": []}, "missing tags", "empty"),
        ({"tags": ["O", None]}, "missing tag", "word 2 ('b') has no tag"),
        ({"tags": ["O", " "]}, "missing tag", "word 2"),
        ({"tags": ["O", {"x": 1}]}, "wrong type", "a tag is"),
        ({"id": "1"}, "duplicate id", "row 0"),
    ],
)
def test_faults(tmp_path: Path, changes: dict[str, object], kind: str, found: str) -> None:
    good = {"id": "1", "words": ["a", "b"], "tags": ["O", "B-x"]}
    source = save_lines(tmp_path / "a.jsonl", good, {**good, "id": "2", **changes})
    with pytest.raises(DataError, match=f"sentences without faults; found . in 2 sentences .*{kind}"):
        read(source)
    data = read_words([source], on_bad_data="skip")
    assert (data.rows, len(data.examples), data.left_out) == (2, 1, 1)
    assert data.problems[0].kind == kind
    assert found in data.problems[0].found
    assert data.problems[0].place == f"{source}, row 1, line 2"


def test_words_that_look_empty_and_are_not(tmp_path: Path) -> None:
    words = ["\u00a0", "\u200b", "\ufe0f"]
    data = read_words([save_lines(tmp_path / "a.jsonl", {"words": words, "tags": ["O"] * 3, "text": " \u00a0"})])
    assert data.examples[0].words == tuple(words)
    assert [data.examples[0].text[start:end] for start, end in data.examples[0].spans] == words


def test_blanks_around_tags_are_taken_off_and_counted(tmp_path: Path) -> None:
    data = read_words([save(tmp_path / "a.conll", "Ada\tB-x \nis\tO\n")])
    assert (pairs(data), data.repaired) == ([[("Ada", "B-x"), ("is", "O")]], 1)


def test_irregular_bio_is_counted_and_no_fault(tmp_path: Path) -> None:
    text = "Ada O\n\nAda B-x\nLove I-x\n\nAda O\nLove I-x\n\nAda B-y\nLove I-x\n"
    source = save(tmp_path / "a.conll", text)
    data = read_words([source])
    (note,) = data.problems
    assert (note.kind, note.fatal, note.place) == ("irregular BIO", False, f"{source}, sentence 2, line 6")
    assert "2 sentences with a tag such as 'I-x'" in note.found
    assert read_words([save(tmp_path / "b.conll", "Ada O\n\nAda B-x\n")]).problems == ()


# -- places of words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text", "starts"),
    [
        (["a", "b"], "a b", (0, 2)),
        (["a", "b"], "  ab\n", (2, 3)),
        (["a", "b"], "a, b", None),
        (["a", "b"], "a b c", None),
        (["a", "b"], "a", None),
        (["New York", "!"], "New York!", (0, 8)),
        ([], "", ()),
    ],
)
def test_places_of_words(words: list[str], text: str, starts: tuple[int, ...] | None) -> None:
    assert place_words(words, text) == starts


@given(st.lists(st.tuples(st.text("ab", min_size=1, max_size=3), st.booleans()), max_size=6))
def test_joined_words_stand_where_they_are_said_to(parts: list[tuple[str, bool]]) -> None:
    words, blanks = [word for word, _ in parts], [blank for _, blank in parts]
    text, starts = join_words(words, blanks)
    assert place_words(words, text) == starts
    assert text.replace(" ", "") == "".join(words)


# -- sources ----------------------------------------------------------------------------------------------------------


def test_folders_and_the_same_guarantees_as_for_questions(tmp_path: Path) -> None:
    save(tmp_path / "train.conll", CONLL_2003)
    save(tmp_path / "dev.conll", CONLL_2003)
    save(tmp_path / "README.txt", "Nothing to read.")
    data = read_words([str(tmp_path)])
    assert [source.name for source in data.sources] == [str(tmp_path / "train.conll")]
    assert data.sources[0].format == "conll"
    assert data.counts == {"file not read": 1}
    assert len(read_words([str(tmp_path)], limit=1).examples) == 1
    with pytest.raises(SettingsError, match="which are the same"):
        read_words([str(tmp_path), str(tmp_path / "train.conll")])
    with pytest.raises(SettingsError, match="id, words, tags"):
        read_words([str(tmp_path)], columns={"text": "1"})
    with pytest.raises(DataError, match="--task qa"):
        read_words(["sample"])
    with pytest.raises(DataError, match=r"sentences; found .*which has none"):
        read_words([save(tmp_path / "none.conll", "-DOCSTART- O\n\n")])
    with pytest.raises(DataError, match=r"there is no such file"):
        read_words([str(tmp_path / "no.conllu")])


# file → rows, options, words, first sentence
PUBLISHED: list[tuple[str, int, dict[str, str], int, list[tuple[str, str]]]] = [
    ("wnut17/train.conll", 3394, {}, 62730, [("@paulwalk", "O"), ("It", "O")]),
    ("wnut17/validation.conll", 1009, {}, 15733, [("Stabilized", "O"), ("approach", "O")]),
    ("ud-ewt/train.conllu", 12544, {}, 204577, [("In", "ADP"), ("addition", "NOUN")]),
    ("ud-ewt/validation.conllu", 2001, {"tags": "xpos"}, 25147, [("From", "IN"), ("the", "DT")]),
]


@pytest.mark.parametrize(("name", "rows", "columns", "words", "first"), PUBLISHED)
def test_published_files(
    name: str, rows: int, columns: dict[str, str], words: int, first: list[tuple[str, str]]
) -> None:
    if not (FOLDER / name).is_file():
        pytest.skip(f"the published data are not here: no ../shared/data/{name} beside the repository")
    data = read_words([str(FOLDER / name)], columns=columns)
    assert (data.rows, len(data.examples), data.problems) == (rows, rows, ())
    assert sum(len(one.words) for one in data.examples) == words
    assert pairs(data)[0][:2] == first
    for one in data.examples:
        assert tuple(one.text[start:end] for start, end in one.spans) == one.words
        assert one.tags is not None
        assert len(one.tags) == len(one.words)


def test_the_texts_of_a_treebank_are_those_of_the_file() -> None:
    """Multiword tokens of English are made of their parts: nearly every text is kept as it was written."""
    path = FOLDER / "ud-ewt" / "validation.conllu"
    if not path.is_file():
        pytest.skip("the published data are not here: no ../shared/data/ud-ewt beside the repository")
    texts = [line[9:] for line in path.read_text(encoding="utf-8").split("\n") if line.startswith("# text = ")]
    same = [one.text == text for one, text in zip(read_words([str(path)]).examples, texts, strict=True)]
    assert sum(same) > 0.99 * len(same)
