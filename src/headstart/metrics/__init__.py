"""Scores from predictions and gold examples: plain functions over plain values, no torch."""

from headstart.metrics.squad import (
    SquadScore,
    exact_match,
    normalize_answer,
    score_squad,
    token_f1,
)
from headstart.metrics.thresholds import best_threshold

__all__ = ["SquadScore", "best_threshold", "exact_match", "normalize_answer", "score_squad", "token_f1"]
