"""How fast a run was, and how fast its machine could be: the share of the measured matrix peak that training used."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.distribution import Ranks
from headstart.hardware import Hardware

if TYPE_CHECKING:
    import torch

BACKWARD = 3  # a training step multiplies three times what its forward pass does: forward, by inputs, by weights
SIDES = {"cpu": 1_024, "cuda": 8_192, "mps": 2_048}  # of the square matrices a peak is measured with
REPEATS = 5


@dataclass(slots=True)
class TrainingWork:
    """What training did, counted while it did it. `tokens` are real ones and stay on the device: no step waits."""

    windows: int = 0
    padded: int = 0
    tokens: torch.Tensor | int = 0
    evaluating: float = 0.0  # seconds
    peak: float | None = None  # operations a second of the machine, measured before the first step

    def count(self, attention_mask: torch.Tensor) -> None:
        """One more batch, (windows, width)."""
        self.windows += len(attention_mask)
        self.padded += attention_mask.numel()
        self.tokens = self.tokens + attention_mask.sum()

    def add_up(self, ranks: Ranks) -> None:
        """Count what all processes did; seconds stay this one's."""
        counts = np.array([self.windows, self.padded, int(self.tokens)], np.int64)
        ranks.add_up(counts)
        self.windows, self.padded, self.tokens = counts.tolist()

    def summary(self, seconds: float) -> dict[str, Any]:
        """The counts by the names that `--json` gives, for this many seconds of training."""
        tokens, seconds = int(self.tokens), max(seconds, 1e-9)
        return {
            "windows": self.windows,
            "windows_per_second": round(self.windows / seconds, 2),
            "tokens_per_second": round(tokens / seconds, 1),
            "padding_share": round(1 - tokens / self.padded, 4) if self.padded else 0.0,
        }


def matrix_peak(hardware: Hardware) -> float | None:
    """Operations a second of large square matrix products in the run's precision; the best of some tries.

    None where there is no such product to measure by.
    """
    import torch

    side = SIDES.get(hardware.device.type)
    if side is None:
        return None
    matrix = torch.randn(side, side, device=hardware.device).to(hardware.dtype)
    seconds = [_seconds(matrix, hardware.device) for _ in range(REPEATS + 1)][1:]
    return 2.0 * side**3 / min(seconds)


def _seconds(matrix: torch.Tensor, device: torch.device) -> float:
    import torch

    synchronize = getattr(torch, device.type).synchronize
    synchronize()
    begun = time.perf_counter()
    matrix @ matrix
    synchronize()
    return time.perf_counter() - begun


def operations_per_token(model: Any, width: int) -> float | None:
    """Multiplications and additions of a forward pass, for each token of a window this wide: counted, not estimated.

    None where the model cannot be counted (a kernel of its own that torch does not see).
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    ids = torch.ones((1, width), dtype=torch.long, device=model.device)
    was_training = model.training
    try:
        with torch.enable_grad(), FlopCounterMode(display=False) as counter:  # its hooks fail without gradients
            model.eval()(input_ids=ids, attention_mask=ids)
        return float(counter.get_total_flops()) / width
    except (RuntimeError, ValueError, TypeError):
        return None
    finally:
        model.train(was_training)


def peak_share(operations: float | None, peak: float | None, *, tokens_per_second: float) -> float | None:
    """The share of the machine's matrix peak that a training of so many tokens a second used, where it is known.

    >>> peak_share(25e6, 860e9, tokens_per_second=7_000)
    0.6105
    """
    if not operations or not peak:
        return None
    return round(BACKWARD * operations * tokens_per_second / peak, 4)
