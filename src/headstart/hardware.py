"""What the machine can do, and what headstart makes of it: device, precision, attention."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headstart.errors import SettingsError

if TYPE_CHECKING:
    import torch

    from headstart.settings import HardwareSettings


# torch's own switch, read before its first tensor: large tensors in large pages. The gradient of an embedding, tens of
# megabytes that are new in every step, else costs more in page faults than a step of short texts in products.
LARGE_PAGES = "THP_MEM_ALLOC_ENABLE"
TILED = "tiled"  # the name under which transformers knows the attention in kernels.py


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where a model runs and in which numbers; `attention` None leaves the choice to transformers."""

    device: torch.device
    precision: str  # "fp32", "bf16" or "fp16"
    attention: str | None
    threads: int

    @property
    def dtype(self) -> torch.dtype:
        """The numbers that products are made in."""
        import torch

        return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.precision, torch.float32)

    @property
    def evaluation_tokens(self) -> int:
        """Padded tokens of a batch without gradients: what fits into a CPU's cache, what fills a GPU."""
        if self.device.type == "cpu":
            return 4_096 if self.precision == "bf16" else 2_048
        return 32_768

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which forward passes run: weights stay float32, products are in `precision`."""
        import torch

        return torch.autocast(self.device.type, self.dtype, enabled=self.precision != "fp32")

    def __str__(self) -> str:
        where = f"{self.device} ({self.threads} threads)" if self.device.type == "cpu" else str(self.device)
        return f"{where}, {self.precision}"


def choose_hardware(settings: HardwareSettings) -> Hardware:
    """Resolve "auto" for this machine.

    Raises:
        SettingsError: a device this machine lacks, or fp16 on a CPU.
    """
    os.environ.setdefault(LARGE_PAGES, "1")
    import torch

    device = _device(settings.device)
    precision = _precision(device) if settings.precision == "auto" else settings.precision
    if precision == "fp16" and device.type == "cpu":
        raise SettingsError("bf16 or fp32 on a CPU", "--precision fp16", "leave --precision out")
    attention = _attention(device, precision) if settings.attention == "auto" else settings.attention
    if device.type == "cpu":
        torch.set_num_threads(settings.threads or _threads())
    return Hardware(device, precision, attention, torch.get_num_threads())


def _threads() -> int:
    """As torch finds right; ranks on one machine share its cores (torchrun would leave each a single one)."""
    import torch

    ranks = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return torch.get_num_threads() if ranks == 1 else max((os.cpu_count() or 1) // ranks, 1)


def _device(name: str) -> torch.device:
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError("a device of this machine", f"{name!r} ({reason})", "use --device cpu or auto") from None
    return device


def _precision(device: torch.device) -> str:
    """bf16 wherever the processor multiplies it natively; elsewhere it is slower than fp32."""
    import torch

    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return "bf16" if able.get("amx_bf16") or able.get("avx512_bf16") else "fp32"
    return "fp32"


def _attention(device: torch.device, precision: str) -> str | None:
    """Our own kernel where it was measured faster than all of transformers': CPUs with bf16 (docs/performance.md)."""
    return TILED if device.type == "cpu" and precision == "bf16" else None
