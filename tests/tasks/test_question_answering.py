"""Targets, loss, decoding, thresholds and scores of the question-answering task, on logits written by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import DataError
from headstart.examples import Answer, QuestionExample, QuestionPrediction, SpanAnswer
from headstart.metrics import score_squad
from headstart.tasks import TASKS, QuestionAnswering
from headstart.tasks.question_scorer import QuestionScorer
from headstart.window_store import WindowRows, store_in_memory

TEXT = "w0 w1 w2 w3 w4 w5"  # with `word_encoder`: [CLS] w9 [SEP] w0 … w5 [SEP], w0 at token 3
QUESTION = "w9"
WIDTH = 10


def asked(*answers: Answer, id: str = "q", context: str = TEXT) -> QuestionExample:
    return QuestionExample(id, QUESTION, context, answers)


def word(number: int, last: int | None = None) -> Answer:
    """The answer from one word of `TEXT` to another."""
    last = number if last is None else last
    return Answer(TEXT[3 * number : 3 * last + 2], 3 * number)


def rows_of(examples: list[QuestionExample], encoder, task: QuestionAnswering | None = None) -> WindowRows:
    store = store_in_memory((task or QuestionAnswering()).windows(examples, encoder))
    return store.rows(range(len(store)))


def outputs_of(start, end) -> SimpleNamespace:
    return SimpleNamespace(start_logits=torch.tensor(start), end_logits=torch.tensor(end))


def gold_shaped(rows: WindowRows, width: int, *, left: bool = False, height: float = 9.0) -> SimpleNamespace:
    """Logits of a model that has learnt the first label of each window by heart."""
    shift = rows.shift(width, left=left)
    start, end = np.zeros((2, len(rows), width), np.float32)
    for row in range(len(rows)):
        start[row, rows.label_starts[row][0] + shift[row]] = height
        end[row, rows.label_ends[row][0] + shift[row]] = height
    return outputs_of(start, end)


def predicted(task: QuestionAnswering, examples, rows, outputs, *, left: bool = False) -> list[QuestionPrediction]:
    return list(task.decode([task.shrink(outputs, rows, left=left)], examples))


# -- targets -----------------------------------------------------------------------------------------------------


def test_one_annotator_gives_a_one_hot_target(word_encoder):
    rows = rows_of([asked(word(1, 2))], word_encoder)
    targets = QuestionAnswering().targets(rows, WIDTH + 2, left=False)
    assert targets["start_targets"].tolist() == [[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]]
    assert targets["end_targets"].tolist() == [[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]]
    assert targets["start_targets"].dtype == np.float32


def test_several_annotators_have_an_equal_say(word_encoder):
    several = asked(word(1, 2), word(1), word(1, 2), word(4))
    targets = QuestionAnswering().targets(rows_of([several], word_encoder), WIDTH, left=False)
    assert targets["start_targets"].tolist() == [[0, 0, 0, 0, 0.75, 0, 0, 0.25, 0, 0]]
    assert targets["end_targets"].tolist() == [[0, 0, 0, 0, 0.25, 0.5, 0, 0.25, 0, 0]]


def test_no_answer_is_cls(word_encoder):
    targets = QuestionAnswering().targets(rows_of([asked()], word_encoder), WIDTH, left=False)
    assert targets["start_targets"].tolist() == targets["end_targets"].tolist() == [[1] + [0] * 9]


def test_targets_move_with_padding_on_the_left(encoders):
    encoder = encoders["xlnet"]
    rows = rows_of([asked(word(1))], encoder)
    width = len(rows.input_ids[0])
    targets = QuestionAnswering().targets(rows, width + 3, left=True)
    assert targets["start_targets"][0].argmax() == rows.label_starts[0][0] + 3
    nothing = QuestionAnswering().targets(rows_of([asked()], encoder), width + 3, left=True)
    assert nothing["start_targets"][0].argmax() == width + 2, "CLS last"


# -- loss --------------------------------------------------------------------------------------------------------


def loss_of(rows: WindowRows, start, end, attention) -> torch.Tensor:
    task = QuestionAnswering()
    targets = {name: torch.from_numpy(t) for name, t in task.targets(rows, start.shape[1], left=False).items()}
    return task.loss(SimpleNamespace(start_logits=start, end_logits=end), targets, attention)


def test_the_loss_of_one_annotator_is_torchs_cross_entropy(word_encoder):
    rows = rows_of([asked(word(1, 2)), asked(word(5)), asked()], word_encoder)
    start, end = torch.randn(2, 3, WIDTH, generator=torch.Generator().manual_seed(0)) * 4
    losses = loss_of(rows, start, end, torch.ones(3, WIDTH, dtype=torch.int64))
    entropy = torch.nn.functional.cross_entropy
    begins, ends = (torch.from_numpy(r.values.astype(np.int64)) for r in (rows.label_starts, rows.label_ends))
    wanted = (entropy(start, begins, reduction="none") + entropy(end, ends, reduction="none")) / 2
    assert losses.shape == (3,)
    torch.testing.assert_close(losses, wanted)


def test_the_loss_of_several_annotators_is_the_mean_over_them(word_encoder):
    start, end = torch.randn(2, 1, WIDTH, generator=torch.Generator().manual_seed(1))
    every = torch.ones(1, WIDTH, dtype=torch.int64)
    both = loss_of(rows_of([asked(word(0), word(3, 4))], word_encoder), start, end, every)
    each = [loss_of(rows_of([asked(answer)], word_encoder), start, end, every) for answer in (word(0), word(3, 4))]
    torch.testing.assert_close(both, (each[0] + each[1]) / 2)


@pytest.mark.parametrize("padding", [-50.0, 0.0, 80.0])
def test_padding_takes_no_share_of_the_loss(word_encoder, padding):
    rows = rows_of([asked(word(1, 2))], word_encoder)
    start, end = torch.randn(2, 1, WIDTH, generator=torch.Generator().manual_seed(2))
    attention = torch.ones(1, WIDTH, dtype=torch.int64)
    wide = [torch.nn.functional.pad(part, (0, 5), value=padding) for part in (start, end)]
    padded = loss_of(rows, *wide, torch.nn.functional.pad(attention, (0, 5)))
    torch.testing.assert_close(padded, loss_of(rows, start, end, attention))


# -- decoding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["bert", "roberta", "sentencepiece", "xlm-roberta", "xlnet"])
def test_logits_that_show_the_gold_answer_decode_to_it(encoders, family):
    encoder = encoders[family]
    context = "The old lighthouse keeper wrote 365 letters, one for every day of the year 1908. " * 8
    place = context.index("every day", 300)
    examples = [
        QuestionExample("far", "What was written?", context, (Answer("every day", place),)),
        QuestionExample("near", "Who wrote?", context, (Answer("old lighthouse keeper", 4),)),
        QuestionExample("none", "Who read?", context, ()),
    ]
    task = QuestionAnswering(max_length=80, doc_stride=20).for_data(examples)
    rows = rows_of(examples, encoder, task)
    assert len(rows) > 6, "several windows each"
    left = encoder.padding_side == "left"
    found = predicted(task, examples, rows, gold_shaped(rows, 84, left=left), left=left)
    answers = [task.answer(prediction) for prediction in found]
    assert [answer.text for answer in answers] == ["every day", "old lighthouse keeper", ""]
    assert (answers[0].start, answers[0].end) == (place, place + 9)
    assert [prediction.id for prediction in found] == ["far", "near", "none"]


def test_answers_rebuilt_from_lower_cased_tokens_instead_of_cut_from_the_text(encoders):
    """BERT's tokens are lower-cased and without accents, and "€3,99" is four of them: the text has it as it was."""
    text = "Fräulein MÜLLER paid  €3,99 for Äpfel."
    example = QuestionExample("q", "What did she pay?", text, (Answer("MÜLLER paid  €3,99", 9),))
    rows = rows_of([example], encoders["bert"])
    tokens = encoders["bert"].tokenizer.decode(rows.input_ids[0][rows.label_starts[0][0] : rows.label_ends[0][0] + 1])
    assert "muller" in tokens, "what it would be rebuilt from"
    task = QuestionAnswering()
    (prediction,) = predicted(task, [example], rows, gold_shaped(rows, len(rows.input_ids[0])))
    assert task.answer(prediction).text == "MÜLLER paid  €3,99"


HAND_START = [[1.0, 9.0, 9.0, 2.0, 0.0, 9.0]]  # [CLS] w9 [SEP] w0 w1 [SEP]
HAND_END = [[0.5, 9.0, 9.0, 1.0, 3.0, 9.0]]
HAND_SPANS = {(0, 5): 5.0, (0, 2): 3.0, (3, 5): 3.0}
HAND_TOTAL = math.exp(5) + 2 * math.exp(3)


def by_hand(word_encoder, **options) -> QuestionPrediction:
    example = replace(asked(context="w0 w1"), answers=None)
    rows = rows_of([example], word_encoder)
    return predicted(QuestionAnswering(**options), [example], rows, outputs_of(HAND_START, HAND_END))[0]


def test_probabilities_are_shares_of_all_spans(word_encoder):
    prediction = by_hand(word_encoder)
    assert [a.text for a in prediction.nbest] == ["w0 w1", "w0", "w1"]
    assert prediction.null_odds is None
    for answer in prediction.nbest:
        score = HAND_SPANS[answer.start, answer.end]
        assert answer.score == pytest.approx(score)
        assert answer.probability == pytest.approx(math.exp(score) / HAND_TOTAL, rel=1e-6)
    assert sum(a.probability for a in prediction.nbest) == pytest.approx(1)
    assert (prediction.nbest[0].start_logit, prediction.nbest[0].end_logit) == (2.0, 3.0)


def test_no_answer_takes_its_share_where_the_model_knows_it(word_encoder):
    prediction = by_hand(word_encoder, no_answer=True)
    total = HAND_TOTAL + math.exp(1.5)
    assert [a.text for a in prediction.nbest] == ["w0 w1", "w0", "w1", ""]
    assert [a.probability for a in prediction.nbest] == pytest.approx(
        [math.exp(score) / total for score in (5, 3, 3, 1.5)], rel=1e-6
    )
    assert prediction.null_odds == pytest.approx(1.5 - 5)
    nothing = prediction.nbest[-1]
    assert (nothing.start, nothing.end, nothing.start_logit, nothing.end_logit) == (0, 0, 1.0, 0.5)


def test_a_cut_nbest_sums_to_less_than_one(word_encoder):
    prediction = by_hand(word_encoder, n_best_size=1)
    assert [a.probability for a in prediction.nbest] == pytest.approx([math.exp(5) / HAND_TOTAL], rel=1e-6)


@pytest.mark.parametrize("no_answer", [False, True])
def test_a_crash_where_every_candidate_is_empty(word_encoder, no_answer):
    """A context without a token. The answer is none, and the odds can be written as JSON."""
    example = QuestionExample("q", QUESTION, "\u200b", None)
    rows = rows_of([example], word_encoder)
    rows = replace(rows, columns={**rows.columns, "starts": rows.ends})  # whatever tokens there are stand for no ink
    task = QuestionAnswering(no_answer=no_answer)
    width = len(rows.input_ids[0])
    (prediction,) = predicted(task, [example], rows, outputs_of([[1.0] * width], [[2.0] * width]))
    assert prediction.best_span is None
    answer = task.answer(prediction)
    assert (answer.text, answer.start, answer.end) == ("", 0, 0)
    assert answer.probability == (1.0 if no_answer else 0.0)
    if no_answer:
        assert prediction.null_odds > 1e3
        json.dumps(prediction.null_odds, allow_nan=False)


def odd(id: str, text: str, odds: float | None) -> QuestionPrediction:
    """A prediction with one span and the no-answer score `odds` above it."""
    span = SpanAnswer(text, 3, 3 + len(text), 1.0, 1.0, 0.5)
    nothing = () if odds is None else (SpanAnswer("", 0, 0, 1.0 + odds, 1.0, 0.2),)
    return QuestionPrediction(id, (span, *nothing), odds)


def test_no_answer_only_above_the_threshold():
    task = QuestionAnswering(no_answer=True, null_threshold=1.5)
    assert [task.answer(odd("q", "w1", odds)).text for odds in (1.4, 1.5, 1.6)] == ["w1", "w1", ""]
    assert task.answer(odd("q", "w1", None)).text == "w1"


# -- scores ------------------------------------------------------------------------------------------------------

MIXED = [asked(word(1), id="a"), asked(word(2), id="b"), asked(id="c"), asked(id="d")]
FOUND = [odd("a", "w1", -3.0), odd("b", "w2", 1.0), odd("c", "w3", 2.0), odd("d", "w3", 4.0)]


def scorer(task: QuestionAnswering, examples, predictions) -> QuestionScorer:
    """The task's scorer after it has heard of all predictions, the last one first."""
    heard = task.scorer(examples)
    for place in reversed(range(len(examples))):
        heard.add(place, predictions[place])
    return heard


def scores(task: QuestionAnswering, examples, predictions) -> dict[str, float]:
    return scorer(task, examples, predictions).scores(task)


def test_tuning_finds_the_threshold_that_parts_them():
    task = QuestionAnswering(no_answer=True)
    heard = scorer(task, MIXED, FOUND)
    tuned = heard.tune()
    assert 1.0 <= tuned.null_threshold < 2.0
    assert heard.scores(task)["f1"] == 75
    assert heard.scores(tuned)["f1"] == 100
    assert replace(tuned, null_threshold=0.0) == task


def test_nothing_is_tuned_without_questions_that_have_no_answer():
    task = QuestionAnswering(no_answer=True, null_threshold=0.25)
    assert scorer(task, MIXED[:2], FOUND[:2]).tune() is task
    knows_none = QuestionAnswering()
    assert scorer(knows_none, MIXED, [replace(p, null_odds=None) for p in FOUND]).tune() is knows_none


def test_names_of_the_scores_are_the_official_ones():
    task = QuestionAnswering()
    found = [replace(p, null_odds=None) for p in FOUND]
    assert scores(task, MIXED[:2], found[:2]) == {"exact_match": 100, "exact": 100, "f1": 100, "total": 2}
    without_odds = {"exact", "f1", "total"} | {
        f"{kind}_{name}" for kind in ("HasAns", "NoAns") for name in ("exact", "f1", "total")
    }
    assert set(scores(task, MIXED, found)) == without_odds
    best = {"best_exact", "best_exact_thresh", "best_f1", "best_f1_thresh"}
    with_odds = scores(QuestionAnswering(no_answer=True), MIXED, FOUND)
    assert set(with_odds) == without_odds | best
    assert [with_odds[name] for name in ("exact", "HasAns_exact", "NoAns_exact", "best_f1")] == [75, 50, 100, 100]


def test_only_the_first_annotators_answer_scored():
    example = asked(word(1), word(2, 3), word(5))
    only = scores(QuestionAnswering(), [example], [odd("q", "w2 w3", None)])
    assert (only["exact"], only["f1"]) == (100, 100)


def test_questions_without_gold_and_without_the_word_of_anyone_that_there_is_none_cannot_be_scored():
    unknown = replace(asked(word(1)), answers=None)
    with pytest.raises(DataError, match="1 without one, such as 'q'"):
        QuestionAnswering().scorer([asked(word(1)), unknown])


golds = st.one_of(
    st.just(()), st.lists(st.sampled_from(["cat", "the", "a red cat", "dog.", "!"]), min_size=1, max_size=3)
)
heard_of = st.lists(
    st.tuples(golds, st.sampled_from(["cat", "red cat", "the", "dog", None]), st.sampled_from([-2.0, 0.0, 0.5, 3.0])),
    min_size=1,
    max_size=8,
)  # gold texts, the best span (or that there is none), no-answer odds


@given(heard_of, st.sampled_from([-1.0, 0.0, 1.0, 9.0]), st.booleans())
def test_scores_are_those_of_the_answers_given_to_the_last_digit(rows, threshold, no_answer):
    """Against `score_squad` on the texts: also where gold or prediction have no words, by either rules."""
    task = QuestionAnswering(no_answer=no_answer, null_threshold=threshold)
    examples = [asked(*(Answer(g, 0) for g in golds), id=str(n)) for n, (golds, _, _) in enumerate(rows)]
    found = [odd(str(n), text or "", odds if no_answer else None) for n, (_, text, odds) in enumerate(rows)]
    references = {e.id: [a.text for a in e.answers] for e in examples}
    rules = "2.0" if any(e.is_impossible for e in examples) else "1.1"
    wanted = score_squad(references, {p.id: task.answer(p).text for p in found}, rules=rules).scores
    if no_answer and rules == "2.0":
        spans = {p.id: p.best_span.text if p.best_span else "" for p in found}
        odds = {p.id: p.null_odds for p in found}
        best = score_squad(references, spans, rules="2.0", no_answer_odds=odds).scores
        wanted |= {name: value for name, value in best.items() if name.startswith("best_")}
    got = scores(task, examples, found)
    assert got == wanted
    assert list(got) == list(wanted)


# -- files -------------------------------------------------------------------------------------------------------


def test_what_is_written_of_a_prediction_has_the_forms_of_run_qa(word_encoder):
    task = QuestionAnswering(no_answer=True)
    written = task.written(by_hand(word_encoder, no_answer=True))
    assert set(written) == set(task.files)
    assert written["predictions"] == "w0 w1"
    assert written["null_odds"] == pytest.approx(-3.5)
    best, *_, nothing = written["nbest_predictions"]
    assert (best["text"], best["start_logit"], best["end_logit"], best["offsets"]) == ("w0 w1", 2.0, 3.0, [0, 5])
    assert (nothing["text"], nothing["offsets"]) == ("", [0, 0])
    assert set(task.written(by_hand(word_encoder))) == {"predictions", "nbest_predictions"}


# -- the object itself -------------------------------------------------------------------------------------------


def test_no_answer_is_recognised_from_the_data():
    task = QuestionAnswering()
    assert task.for_data(MIXED).no_answer is True
    assert task.for_data(MIXED[:2]).no_answer is False
    assert task.for_data([replace(MIXED[0], answers=None)]).no_answer is False


def test_options_survive_json():
    task = QuestionAnswering(max_length=200, doc_stride=50, no_answer=True, null_threshold=-1.0625)
    assert QuestionAnswering.from_options(json.loads(json.dumps(task.options()))) == task


def test_options_of_a_later_version_are_passed_over():
    assert QuestionAnswering.from_options({"max_length": 99, "invented_later": True}) == QuestionAnswering(99)


def test_the_task_is_found_by_its_name():
    assert TASKS["qa"] is QuestionAnswering
    assert list(TASKS) == [task.name for task in TASKS.values()]
