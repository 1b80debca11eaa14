"""The task families. A new one is one file beside these, one line in `TASKS`, one row in the contract test."""

from __future__ import annotations

from typing import Any

from headstart.tasks.base import Scorer, Task
from headstart.tasks.classification import Classification
from headstart.tasks.question_answering import QuestionAnswering
from headstart.tasks.regression import Regression
from headstart.tasks.tagging import Tagging

TASKS: dict[str, type[Task]] = {task.name: task for task in (QuestionAnswering, Classification, Regression, Tagging)}

__all__ = ["TASKS", "Classification", "QuestionAnswering", "Regression", "Scorer", "Tagging", "Task", "task_of_model"]


def task_of_model(config: Any) -> str | None:
    """The task that a model of the hub was trained for, if its head is one of ours."""
    return next((name for name, task in TASKS.items() if task.claims(config)), None)
