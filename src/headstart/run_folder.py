"""The folder of a run: the model at its top, and beside it everything that says how it came about.

::

    DIR/                       an ordinary Hugging Face model folder (the best model)
        headstart.json         task, options, threshold, scores
        README.md              model card
        checkpoints/           what --resume goes on from
        run/settings.yaml      every option as it was used; `headstart train --config` reads it
        run/data.json          sources with fingerprints, counts, repaired and left-out rows
        run/versions.json      Python, libraries, machine, device, precision
        run/log_history.json   every logged loss and score
        run/curves.svg         loss and score over the steps
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart._version import __version__
from headstart.checkpoint import CARD, write_json
from headstart.curves import draw_curves
from headstart.data import ReadData
from headstart.errors import SettingsError
from headstart.hardware import Hardware
from headstart.settings import TrainSettings
from headstart.tasks.base import LOWER_IS_BETTER

if TYPE_CHECKING:
    from headstart.tasks import Task

LIBRARIES = ("torch", "transformers", "datasets", "accelerate", "tokenizers", "numpy", "pyarrow")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run writes."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Where Trainer keeps what a resumed run needs."""
        return self.path / "checkpoints"

    @property
    def run(self) -> Path:
        """Where the run explains itself."""
        return self.path / "run"

    def open(self, *, resume: bool, overwrite: bool) -> None:
        """Make sure that nothing of value is written over.

        Raises:
            SettingsError: the folder holds something and neither flag was given, or there is nothing to resume.
        """
        if self.path.is_file():
            raise SettingsError("a folder after --output", f"the file {self.path}", "choose another place")
        if resume:
            if self.last_checkpoint() is None:
                raise SettingsError(
                    "a checkpoint to resume from", f"none in {self.checkpoints}", "leave --resume out to start afresh"
                )
            return
        if self.path.exists() and any(self.path.iterdir()) and not overwrite:
            raise SettingsError(
                "an empty or new folder after --output",
                f"{self.path} with something in it",
                "choose another, go on with --resume, or write over it with --overwrite",
            )

    def last_checkpoint(self) -> str | None:
        """The newest complete checkpoint, if there is one."""
        found = [path for path in self.checkpoints.glob("checkpoint-*") if (path / "trainer_state.json").is_file()]
        return str(max(found, key=lambda path: int(path.name.split("-")[1]))) if found else None

    def begin(
        self,
        settings: TrainSettings,
        hardware: Hardware,
        task: Task,
        train: ReadData[Any],
        validation: ReadData[Any] | None,
    ) -> None:
        """Write what is known before the first step: enough to see what a run that died was.

        What `--overwrite` allows to go goes only now, when everything has been checked.
        """
        import yaml

        if not settings.resume:
            shutil.rmtree(self.checkpoints, ignore_errors=True)
            shutil.rmtree(self.run, ignore_errors=True)
        self.run.mkdir(parents=True, exist_ok=True)
        values = settings.model_dump(mode="json", exclude={"resume", "overwrite", "overwrite_cache"})
        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
        (self.run / "settings.yaml").write_text(f"# headstart train --config …\n{text}", encoding="utf-8")
        data = {"train": describe(train, task), "validation": describe(validation, task) if validation else None}
        write_json(self.run / "data.json", data)
        write_json(self.run / "versions.json", {**versions(), "hardware": str(hardware)})

    def finish(
        self,
        settings: TrainSettings,
        task: Task,
        train: ReadData[Any],
        validation: ReadData[Any] | None,
        state: Any,
        *,
        scores: Mapping[str, float],
        seconds: Mapping[str, float],
        speed: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Write the log and its picture; give back the facts that `headstart.json` keeps."""
        write_json(self.run / "log_history.json", state.log_history)
        shown = [name for name in task.metrics if name not in LOWER_IS_BETTER]
        unit = "percent" if task.percent else "score"
        draw_curves(state.log_history, self.run / "curves.svg", scores=shown, unit=unit)
        return {
            "task": task.name,
            "encoder": settings.model,
            "train": {"sources": list(settings.train), "examples": len(train.examples)},
            "validation": {"sources": list(settings.validation), "examples": len(validation.examples)}
            if validation
            else None,
            "scores": dict(scores),
            "steps": state.global_step,
            "seconds": {stage: round(spent, 1) for stage, spent in seconds.items()},
            **speed,
            "versions": versions(),
        }


def describe(data: ReadData[Any], task: Task) -> dict[str, Any]:
    """What a data set was: sources, counts, and every row that was mended or left out."""
    return {
        "fingerprint": data.fingerprint,
        "examples": len(data.examples),
        **task.summary(data.examples),
        "sources": [asdict(source) for source in data.sources],
        "problems": [asdict(problem) for problem in data.problems],
    }


def versions() -> dict[str, str]:
    """What the run ran on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"headstart": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:  # pragma: no cover - all of them are dependencies
            found[library] = "missing"
    return found


def model_card(settings: TrainSettings, task: Task, facts: Mapping[str, Any]) -> str:
    """The saved folder's README.md, in the hub's form."""
    name = Path(settings.output).name
    digits = 2 if task.percent else 4
    scores = "\n".join(f"| {key} | {_shown(value, digits)} |" for key, value in facts["scores"].items())
    table = f"| score | value |\n|---|---|\n{scores}" if scores else "No validation data was given."
    return f"""---
library_name: transformers
pipeline_tag: {task.pipeline}
base_model: {settings.model if not Path(settings.model).exists() else Path(settings.model).name}
tags: [headstart]
---
# {name}

{task.description()} Trained by headstart {__version__}.

```python
from headstart import load

reply = load("{name}")({task.example_call})
```

## Scores on the validation data

{table}

## Training

{facts["train"]["examples"]:,} {task.noun} from {", ".join(Path(source).name for source in settings.train)}; \
{facts["steps"]:,} steps, learning rate {settings.learning_rate:g}, windows of {settings.max_length} \
tokens with {settings.doc_stride} of overlap, seed {settings.seed}. Everything else stands in `run/` and `{CARD}`.
"""


def _shown(value: float, digits: int) -> str:
    """A score, or a count."""
    return f"{value:.{digits}f}" if isinstance(value, float) else f"{value:,}"
