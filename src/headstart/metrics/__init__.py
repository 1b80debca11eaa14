"""Scores from predictions and gold examples: plain functions over plain values, no torch."""

from headstart.metrics.entities import by_type, entity_counts, entity_scores
from headstart.metrics.labels import ClassScore, by_label, confusion, label_scores
from headstart.metrics.numbers import mse, number_scores, pearson, spearman
from headstart.metrics.squad import (
    SquadScore,
    exact_match,
    normalize_answer,
    score_squad,
    token_f1,
)
from headstart.metrics.thresholds import best_threshold

__all__ = [
    "ClassScore",
    "SquadScore",
    "best_threshold",
    "by_label",
    "by_type",
    "confusion",
    "entity_counts",
    "entity_scores",
    "exact_match",
    "label_scores",
    "mse",
    "normalize_answer",
    "number_scores",
    "pearson",
    "score_squad",
    "spearman",
    "token_f1",
]
