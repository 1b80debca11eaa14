"""Data: reading it from files, folders and the hub, checking, repairing, splitting, writing.

>>> from headstart.data import read_questions
>>> data = read_questions(["sample"], role="validation", limit=5)
>>> [source.format for source in data.sources]
['squad']
"""

from headstart.data.guessing import TaskGuess, guess_task
from headstart.data.hub import Role
from headstart.data.records import Problem, ReadData, SourceInfo
from headstart.data.sources import read_questions, read_texts, read_words
from headstart.data.splitting import split, split_by_context
from headstart.data.squad import write_squad

__all__ = [
    "Problem",
    "ReadData",
    "Role",
    "SourceInfo",
    "TaskGuess",
    "guess_task",
    "read_questions",
    "read_texts",
    "read_words",
    "split",
    "split_by_context",
    "write_squad",
]
