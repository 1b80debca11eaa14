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
    from headstart.answering import QuestionAnswerer, Reply, load
    from headstart.data import read_questions
    from headstart.errors import HeadstartError
    from headstart.evaluation import evaluate
    from headstart.scoring import score_files
    from headstart.settings import EvaluateSettings, TrainSettings
    from headstart.training import train

_HOMES = {
    "EvaluateSettings": "settings",
    "HeadstartError": "errors",
    "QuestionAnswerer": "answering",
    "Reply": "answering",
    "TrainSettings": "settings",
    "evaluate": "evaluation",
    "load": "answering",
    "read_questions": "data",
    "score_files": "scoring",
    "train": "training",
}

__all__ = [
    "EvaluateSettings",
    "HeadstartError",
    "QuestionAnswerer",
    "Reply",
    "TrainSettings",
    "__version__",
    "evaluate",
    "load",
    "read_questions",
    "score_files",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"headstart.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'headstart' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
