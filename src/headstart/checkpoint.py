"""Folder ↔ model, tokenizer and task. An ordinary Hugging Face folder; what is ours is `headstart.json` beside it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart._version import __version__
from headstart.encoders import resolve
from headstart.errors import ModelError
from headstart.hardware import TILED, Hardware
from headstart.tasks import TASKS, QuestionAnswering, Task, task_of_model
from headstart.tasks.labels import head_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

CARD = "headstart.json"
# the names of dropout across model families
ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")
HIDDEN_DROPOUT = ("hidden_dropout_prob", "embedding_dropout", "mlp_dropout", "dropout")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model with all that is needed to use it as it was trained.

    `trained` is False when the head is new; `before` is the task that a head there was trained for. `card` is the
    content of `headstart.json`, empty for foreign models.
    """

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    task: Task
    trained: bool
    before: Task | None = None
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def attention(self) -> str:
        """The kernel the model really uses: not every architecture lets it be chosen."""
        return str(self.model.config._attn_implementation)


def load(
    name: str | Path,
    hardware: Hardware,
    *,
    task: Task | None = None,
    attention_dropout: float | None = None,
    hidden_dropout: float | None = None,
) -> Checkpoint:
    """Load a folder or hub id with the head of its task; a new head where it has none.

    With `task` (to train for it) the head is new, too, if the one there is of another task or knows other labels.
    A dropout of None leaves what the model was published with.

    Raises:
        ModelError: nothing there, not an encoder, or no such head for it.
    """
    import transformers

    name = resolve(str(name))
    card = _read_card(Path(name))
    with _quiet_transformers(), _readable_errors(str(name), task.head if task else "one of our heads"):
        config = transformers.AutoConfig.from_pretrained(name)
    before = _trained_task(card, config)
    chosen = (task or before or QuestionAnswering()).for_model(config)
    same_head = type(before) is type(chosen) and before.model_config() == chosen.model_config()
    for key, value in {**chosen.model_config(), **_dropouts(config, attention_dropout, hidden_dropout)}.items():
        setattr(config, key, value)
    with _quiet_transformers(), _readable_errors(str(name), chosen.head):
        model, complete = _model(name, config, chosen, hardware)
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
    _finish_model(model, chosen, hardware, renewed=complete and not same_head)
    return Checkpoint(
        name=str(name),
        model=model.to(hardware.device),
        tokenizer=tokenizer,
        task=chosen,
        trained=complete and same_head,
        before=before,
        card=card,
    )


def _trained_task(card: Mapping[str, Any], config: Any) -> Task | None:
    """What the model was trained for: by headstart or by anyone; None for a bare encoder."""
    if card:
        return TASKS[card["task"]].from_options(card.get("options", {}))
    kind = task_of_model(config)
    return TASKS[kind]().for_model(config) if kind else None


def _model(name: Any, config: Any, task: Task, hardware: Hardware) -> tuple[Any, bool]:
    """The model with the task's head, and whether all its weights were there."""
    import transformers

    from headstart.kernels import register_attention

    tiled = hardware.attention == TILED
    model, info = getattr(transformers, task.head).from_pretrained(
        name,
        config=config,
        attn_implementation="eager" if tiled else hardware.attention,
        ignore_mismatched_sizes=True,  # a head for another number of labels
        output_loading_info=True,
    )
    if tiled and model._supports_attention_backend:
        register_attention()
        model.set_attn_implementation(TILED)
    return model, not info["missing_keys"] and not info["mismatched_keys"]


def _finish_model(model: Any, task: Task, hardware: Hardware, *, renewed: bool) -> None:
    """The head in float32, and anew if its outputs now mean something else; dropout as fast as it can be."""
    from headstart.kernels import quicken_dropout

    head = head_of(model, task.head_layers)
    if renewed and head is not None:
        _renew(head, model.config)
    keep_in_float(head)
    if hardware.device.type == "cpu":
        quicken_dropout(model)


def _renew(head: Any, config: Any) -> None:
    """Draw the weights of a head as transformers draws them."""
    import torch

    for layer in head.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=getattr(config, "initializer_range", 0.02))
            if layer.bias is not None:
                torch.nn.init.zeros_(layer.bias)


def _dropouts(config: Any, attention: float | None, hidden: float | None) -> dict[str, float]:
    """By the names that this family of models has for them."""
    wanted = [(name, attention) for name in ATTENTION_DROPOUT] + [(name, hidden) for name in HIDDEN_DROPOUT]
    return {name: value for name, value in wanted if value is not None and hasattr(config, name)}


def keep_in_float(layer: Any) -> None:
    """Run a layer in float32 under autocast: bf16 has three digits, too few to rank candidates by."""
    import torch

    if not isinstance(layer, torch.nn.Module):
        return
    forward = layer.forward

    def in_float(hidden: torch.Tensor) -> Any:
        with torch.autocast(hidden.device.type, enabled=False):
            return forward(hidden.float())

    layer.forward = in_float


def load_trained(name: str | Path, hardware: Hardware) -> Checkpoint:
    """Load a model that can be asked; an encoder with an untrained head would answer at random."""
    checkpoint = load(name, hardware)
    if not checkpoint.trained:
        raise ModelError(
            f"a model with a trained head ({checkpoint.task.head})",
            f"{name} without one: its answers would be random",
            f"train it first: headstart train --model {name} --train … --output DIR",
        )
    checkpoint.model.eval()
    return checkpoint


def token_limit(checkpoint: Checkpoint) -> int | None:
    """The longest input the model has positions for, in tokens; None where there is no limit."""
    limits = [checkpoint.tokenizer.model_max_length, _positions(checkpoint.model)]
    known = [limit for limit in limits if isinstance(limit, int) and 0 < limit < 10**9]
    return min(known, default=None)


def _positions(model: Any) -> int | None:
    """RoBERTa and its kin count positions from behind the padding id: of 514 they can use 512."""
    positions = getattr(model.config, "max_position_embeddings", None)
    embeddings = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    padding = getattr(embeddings, "padding_idx", None)
    return positions if positions is None or padding is None else positions - padding - 1


def save(folder: Path, checkpoint: Checkpoint, *, task: Task, facts: Mapping[str, Any], readme: str = "") -> None:
    """Write model, tokenizer, `headstart.json` and model card; a reader never meets half of them.

    Everything is written beside the folder first and moved in at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    card = {"headstart": __version__, "task": task.name, "options": task.options(), **facts}
    partial = Path(tempfile.mkdtemp(dir=folder, prefix=".saving-"))
    try:
        with _quiet_transformers():
            checkpoint.model.save_pretrained(partial)
            checkpoint.tokenizer.save_pretrained(partial)
        write_json(partial / CARD, card)
        if readme:
            (partial / "README.md").write_text(readme, encoding="utf-8")
        for path in sorted(partial.iterdir()):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Readable JSON, UTF-8, one final newline."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    path.write_text(text + "\n", encoding="utf-8")


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    if not path.is_file():
        return {}
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        known = card["task"] in TASKS
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise ModelError(f"a {CARD} with a known task ({', '.join(TASKS)})", f"{path} without", "save the model again")
    return dict(card)


@contextmanager
def _readable_errors(name: str, head: str) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except OSError as error:
        remedy = "check the path or the hub id, and the network (HF_ENDPOINT, HF_HUB_OFFLINE)"
        if Path(name).is_dir():
            remedy = "the folder needs config.json, model.safetensors and tokenizer.json"
        raise ModelError("a model folder or a hub id", f"{name}: {_first_line(error)}", remedy) from None
    except SafetensorError as error:
        raise ModelError(
            "weights that can be read", f"{name}: {_first_line(error)}", "fetch model.safetensors again, in full"
        ) from None
    except ValueError as error:
        raise ModelError(
            f"a model that transformers can load with {head}",
            f"{name}: {_first_line(error)}",
            "choose another encoder; BERT, RoBERTa, DeBERTa, ELECTRA, ModernBERT work",
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """No load report and no bar for a second's work; both come back afterwards."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
