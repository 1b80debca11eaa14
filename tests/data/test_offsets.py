from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from headstart.data.offsets import NEAR, as_offset, nearest_occurrence, place_answer, short
from headstart.data.records import ABSENT, RawAnswer
from headstart.examples import Answer

CONTEXT = "In 1815 Ada was born in London. Ada wrote notes."


def kinds(text: object, start: object, context: str = CONTEXT) -> list[str]:
    return [finding.kind for finding in place_answer(RawAnswer(text, start), context).findings]


@pytest.mark.parametrize("start", [24, "24", 24.0, " 24 ", "24.0"])
def test_right_offsets_in_every_spelling(start: object) -> None:
    placed = place_answer(RawAnswer("London", start), CONTEXT)
    assert placed.answer == Answer("London", 24)
    assert placed.findings == ()


@pytest.mark.parametrize("start", [-1, 1.5, "x", True, [3], "-4", float("inf"), "inf"])
def test_nonsense_offsets_are_refused_with_the_place_of_the_text(start: object) -> None:
    placed = place_answer(RawAnswer("London", start), CONTEXT)
    assert placed.answer is None
    (finding,) = placed.findings
    assert finding.kind == "wrong offset"
    assert finding.fatal
    assert not finding.repaired
    assert "stands at 24" in finding.found
    assert "answer_start to 24" in finding.remedy


def test_nonsense_offset_of_an_absent_text_is_an_absent_answer() -> None:
    assert kinds("Paris", -1) == ["answer not in context"]


def test_shifted_offset_moves_to_the_nearest_place() -> None:
    placed = place_answer(RawAnswer("Ada", 30), CONTEXT)
    assert placed.answer == Answer("Ada", 32)
    (finding,) = placed.findings
    assert finding.kind == "shifted offset"
    assert finding.repaired
    assert not finding.fatal
    assert "at 30" in finding.found
    assert "at 32" in finding.found


def test_offset_of_the_stripped_text_counts_as_shifted() -> None:
    placed = place_answer(RawAnswer(" London ", 24), CONTEXT)
    assert placed.answer == Answer("London", 24)
    assert [finding.kind for finding in placed.findings] == ["shifted offset"]


def test_blanks_around_an_answer_are_taken_off_and_the_offset_follows() -> None:
    placed = place_answer(RawAnswer(" London", 23), CONTEXT)
    assert placed.answer == Answer("London", 24)
    assert [(finding.kind, finding.repaired) for finding in placed.findings] == [("blanks around answer", True)]


@pytest.mark.parametrize("distance", [NEAR, -NEAR])
def test_the_limit_of_repair(distance: int) -> None:
    context = "." * 100 + "x" + "." * 100
    assert place_answer(RawAnswer("x", 100 + distance), context).answer == Answer("x", 100)
    further = distance + (1 if distance > 0 else -1)
    placed = place_answer(RawAnswer("x", 100 + further), context)
    assert placed.answer is None
    (finding,) = placed.findings
    assert finding.kind == "answer far from offset"
    assert finding.fatal
    assert "100" in finding.remedy


def test_offset_beyond_the_end_of_the_context() -> None:
    assert place_answer(RawAnswer("notes.", 60), CONTEXT).answer == Answer("notes.", 42)
    assert kinds("In", 5000) == ["answer far from offset"]


@pytest.mark.parametrize("start", [None, float("nan"), "", ABSENT])
def test_without_offset_the_text_is_searched(start: object) -> None:
    placed = place_answer(RawAnswer("London", start), CONTEXT)
    assert placed == place_answer(RawAnswer("London", 24), CONTEXT)


def test_text_alone_found_twice_is_taken_first_and_said_so() -> None:
    placed = place_answer(RawAnswer("Ada"), CONTEXT)
    assert placed.answer == Answer("Ada", 8)
    (finding,) = placed.findings
    assert finding.kind == "answer found more than once"
    assert not finding.fatal
    assert not finding.repaired
    assert "at character 8 and again at 32" in finding.found


def test_text_alone_with_blanks() -> None:
    assert place_answer(RawAnswer("  London\n"), CONTEXT).answer == Answer("London", 24)
    assert kinds("  London\n", ABSENT) == ["blanks around answer"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("london", "in other case"),
        ("in  London", "with other blanks"),
        ("Lond\uff4fn", "in another Unicode form"),
        ("IN lond\uff4fn", "in other case, with other blanks or in another Unicode form"),
    ],
)
def test_absent_texts_that_stand_there_in_another_form(text: str, hint: str) -> None:
    for start in (24, ABSENT):
        (finding,) = place_answer(RawAnswer(text, start), CONTEXT).findings
        assert finding.kind == "answer not in context"
        assert finding.fatal
        assert finding.found.endswith(f"it does {hint}")


def test_decomposed_letters_are_another_form() -> None:
    (finding,) = place_answer(RawAnswer("Zofie\u030c", 0), "Zofi\u011b ran").findings
    assert "Unicode form" in finding.found


def test_absent_text_without_a_variant() -> None:
    (finding,) = place_answer(RawAnswer("Paris", 0), CONTEXT).findings
    assert finding.found == "answer 'Paris' does not stand in the context"


@pytest.mark.parametrize("text", [7, ["London"], True, 1.5])
def test_answers_that_are_no_text(text: Any) -> None:
    assert kinds(text, 0) == ["wrong type"]


@settings(deadline=None)
@given(st.text("ab ", min_size=1, max_size=12), st.data())
def test_what_is_placed_stands_there_and_is_the_nearest(context: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, len(context)))
    text = context[start:end]
    assume(text.strip())
    given_start = start + data.draw(st.integers(-start, 50))
    placed = place_answer(RawAnswer(text, given_start), context).answer
    wanted = text if context.startswith(text, given_start) else text.strip()
    places = [n for n in range(len(context)) if context.startswith(wanted, n)]
    nearest = min(abs(place - given_start) for place in places)
    assert (placed is None) == (nearest > NEAR)
    if placed is not None:
        assert context[placed.start : placed.end] == placed.text == text.strip()
        assert abs(placed.start - given_start) <= nearest + len(text) - len(text.lstrip())


@settings(deadline=None)
@given(st.text("ab", max_size=4), st.integers(0, 40), st.text("ab", max_size=30))
def test_nearest_occurrence_against_a_plain_search(text: str, start: int, context: str) -> None:
    assume(text)
    places = [place for place in range(len(context)) if context.startswith(text, place)]
    expected = min(places, key=lambda place: (abs(place - start), place), default=None)
    assert nearest_occurrence(text, start, context) == expected


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_offsets_in_every_spelling(number: int) -> None:
    assert as_offset(number) == as_offset(float(number)) == as_offset(str(number)) == number


def test_short_quotes_and_cuts() -> None:
    assert short("a\nb") == r"'a\nb'"
    assert len(short(list(range(1000)))) < 70
