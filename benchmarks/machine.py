"""What the figures were measured on: without it no ratio can be judged."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from headstart import __version__

PACKAGES = ("torch", "transformers", "tokenizers", "datasets", "accelerate", "numpy")


def describe() -> dict[str, Any]:
    """Processor, cores, what it can multiply, versions."""
    import torch

    able = torch.cpu.get_capabilities()
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bf16": [name for name in ("avx512_bf16", "amx_bf16", "arm_bf16") if able.get(name)],
        "system": platform.platform(terse=True),
        "versions": {"headstart": __version__, "python": platform.python_version(), **_versions()},
    }


def headline(machine: dict[str, Any]) -> str:
    """The same in a few lines above the table."""
    peak = machine.get("peak_gflops", {})
    speeds = ", ".join(f"{value:,.0f} GFLOP/s in {name}" for name, value in peak.items()) or "not measured"
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return "\n".join(
        (
            f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads,"
            f" native bf16: {', '.join(machine['bf16']) or 'none'}",
            f"matrix products of 2048 × 2048: {speeds}",
            versions,
        )
    )


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
