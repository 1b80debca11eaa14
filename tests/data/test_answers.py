import pytest

from headstart.data.answers import MalformedAnswersError, paired_answers, raw_answers
from headstart.data.records import ABSENT, RawAnswer

BOTH = (RawAnswer("Ada", 7), RawAnswer("was", 3))


@pytest.mark.parametrize(
    "value",
    [
        {"text": ["Ada", "was"], "answer_start": [7, 3]},
        [{"text": "Ada", "answer_start": 7}, {"text": "was", "answer_start": 3}],
        '{"text": ["Ada", "was"], "answer_start": [7, 3]}',
        '[{"text": "Ada", "answer_start": 7}, {"text": "was", "answer_start": 3, "more": 1}]',
    ],
)
def test_forms_of_answers(value: object) -> None:
    assert raw_answers(value) == BOTH


@pytest.mark.parametrize("value", [None, "", float("nan"), [], {"text": [], "answer_start": []}, "[]", "null"])
def test_no_answers(value: object) -> None:
    assert raw_answers(value) == ()


def test_texts_alone() -> None:
    assert raw_answers(["Ada", "was"]) == (RawAnswer("Ada", ABSENT), RawAnswer("was", ABSENT))
    assert raw_answers({"text": ["Ada"]}) == (RawAnswer("Ada", ABSENT),)
    assert raw_answers({"text": ["Ada"], "answer_start": None}) == (RawAnswer("Ada", ABSENT),)


def test_single_values_in_place_of_lists() -> None:
    assert raw_answers({"text": "Ada", "answer_start": 7}) == BOTH[:1]
    assert paired_answers("Ada", [7]) == BOTH[:1]
    assert paired_answers(None, None) == (RawAnswer(None, None),)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (7, "answers is 7"),
        ("Ada", "not JSON"),
        ('"Ada"', "answers is the text"),
        ("{'text': ['Ada'], 'answer_start': [7]}", "not JSON"),
        ({"answer_start": [7]}, 'no "text"'),
        ({"text": ["Ada", "was"], "answer_start": [7]}, "2 answer texts with answer_start 1"),
        ({"text": ["Ada"], "answer_start": 7}, "1 answer texts with answer_start 7"),
        ([7], "one of the answers is 7"),
        ([{"answer_start": 7}], "one of the answers"),
        (b"Ada", "answers is b'Ada'"),
    ],
)
def test_malformed_answers(value: object, found: str) -> None:
    with pytest.raises(MalformedAnswersError, match=found) as caught:
        raw_answers(value)
    assert caught.value.remedy
