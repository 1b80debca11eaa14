"""Three texts about facts in no training set, asked of the model of the README's real run, where it has been made."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODEL = Path(os.environ.get("HEADSTART_SQUAD_MODEL", ROOT / "runs" / "squad1"))

QUESTIONS = [
    ("chip.txt", "At what temperature does the chip run without cooling?", "25 °C"),
    ("samarkand.txt", "Which city did Timur choose as his capital?", "Samarkand"),
    ("snail.txt", "Which sea animal has iron sulfide in its shell?", "scaly-foot snail"),
]


@pytest.fixture(scope="module")
def answerer():
    if not (MODEL / "headstart.json").is_file():
        pytest.skip("the model of the README's real run is not in runs/squad1 (HEADSTART_SQUAD_MODEL names another)")
    from headstart import load

    return load(MODEL)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "question", "answer"), QUESTIONS)
def test_the_real_model_answers_what_it_was_never_taught(answerer, file, question, answer):
    context = (ROOT / "examples" / file).read_text(encoding="utf-8")
    reply = answerer(question=question, context=context)
    assert answer in reply.answer
    assert context[reply.start : reply.end] == reply.answer


@pytest.mark.parametrize(("file", "question", "answer"), QUESTIONS)
def test_the_texts_hold_their_answers(file, question, answer):
    assert answer in (ROOT / "examples" / file).read_text(encoding="utf-8")
