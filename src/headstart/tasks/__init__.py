"""The task families. A new one is one file beside these, one line in `TASKS`, one row in the contract test."""

from __future__ import annotations

from headstart.tasks.base import Scorer, Task
from headstart.tasks.question_answering import QuestionAnswering

TASKS: dict[str, type[QuestionAnswering]] = {QuestionAnswering.name: QuestionAnswering}

__all__ = ["TASKS", "QuestionAnswering", "Scorer", "Task"]
