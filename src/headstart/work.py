"""What a run of predictions did and what it took, by the names that `--json` gives."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.distribution import Ranks


@dataclass(slots=True)
class Work:
    """What a run did, counted while it did it. Tokens are real ones; `padded` counts padding too.

    `seconds` are those of the whole pass, `decode` those of it that went, beside the model, into decoding.
    """

    windows: int = 0
    tokens: int = 0
    padded: int = 0
    loss: float = 0.0
    learnt: int = 0
    seconds: float = 0.0
    decode: float = 0.0

    def add_up(self, ranks: Ranks) -> None:
        """Count what all processes did; seconds stay this one's."""
        counts = np.array([self.windows, self.tokens, self.padded, self.learnt, self.loss], np.float64)
        ranks.add_up(counts)
        self.windows, self.tokens, self.padded, self.learnt = counts[:4].astype(int).tolist()
        self.loss = float(counts[4])

    def summary(self) -> dict[str, Any]:
        """The counts by the names that `--json` gives."""
        seconds = max(self.seconds, 1e-9)
        return {
            "windows": self.windows,
            "windows_per_second": round(self.windows / seconds, 2),
            "tokens_per_second": round(self.tokens / seconds, 1),
            "padding_share": round(1 - self.tokens / self.padded, 4) if self.padded else 0.0,
            "peak_memory_mb": peak_memory_mb(),
            "seconds_evaluate": round(self.seconds, 3),
            "seconds_decode": round(self.decode, 3),
        }


def peak_memory_mb() -> float | None:
    """The most memory this process ever held; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:  # pragma: no cover
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024**2 if sys.platform == "darwin" else 1024), 1)
