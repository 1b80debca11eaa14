"""headstart gives a pretrained encoder a task head and fine-tunes it.

Everything here is loaded when it is first used: `import headstart` itself is instant.

>>> import headstart
>>> headstart.TrainSettings.model_fields["doc_stride"].default
128
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from headstart._version import __version__

if TYPE_CHECKING:
    from headstart.answering import TrainedModel, load
    from headstart.data import read_questions, read_texts, read_words
    from headstart.errors import HeadstartError
    from headstart.evaluation import evaluate
    from headstart.scoring import score_files
    from headstart.settings import EvaluateSettings, TrainSettings
    from headstart.tasks.question_replies import Reply
    from headstart.training import train

_HOMES = {
    "EvaluateSettings": "settings",
    "HeadstartError": "errors",
    "Reply": "tasks.question_replies",
    "TrainSettings": "settings",
    "TrainedModel": "answering",
    "evaluate": "evaluation",
    "load": "answering",
    "read_questions": "data",
    "read_texts": "data",
    "read_words": "data",
    "score_files": "scoring",
    "train": "training",
}

__all__ = [
    "EvaluateSettings",
    "HeadstartError",
    "Reply",
    "TrainSettings",
    "TrainedModel",
    "__version__",
    "evaluate",
    "load",
    "read_questions",
    "read_texts",
    "read_words",
    "score_files",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"headstart.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'headstart' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
