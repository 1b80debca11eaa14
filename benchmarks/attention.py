"""Tokens per second of a training step, by attention kernel, precision and length: why the defaults are as they are.

    python benchmarks/attention.py [--model all-MiniLM-L6-v2] [--tokens 4096] [--repeats 5]

Prints one row for each combination: the median over the repeats, after one step that does not count.
"""

from __future__ import annotations

import argparse
import statistics
import time
from itertools import product
from typing import Any

import torch

from headstart.checkpoint import load
from headstart.hardware import Hardware

LENGTHS = (48, 200, 384)


def main() -> None:
    """Measure every combination in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--tokens", type=int, default=4_096, help="tokens of a batch")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"{'length':>6}  {'precision':9}  {'attention':9}  {'dropout':>7}  {'tokens/s':>8}")
    for length, precision, attention, dropout in product(LENGTHS, ("bf16", "fp32"), ("eager", "sdpa"), (0.0, 0.1)):
        hardware = Hardware(torch.device("cpu"), precision, attention, torch.get_num_threads())
        model = load(options.model, hardware, task="qa", attention_dropout=dropout).model.train()
        seconds = [step(model, hardware, length, options.tokens) for _ in range(options.repeats + 1)][1:]
        speed = options.tokens // length * length / statistics.median(seconds)
        print(f"{length:>6}  {precision:9}  {attention:9}  {dropout:>7}  {speed:>8,.0f}", flush=True)


def step(model: Any, hardware: Hardware, length: int, tokens: int) -> float:
    """Seconds of one forward and backward pass over a batch without padding."""
    ids = torch.randint(1_000, 20_000, (tokens // length, length))
    places = torch.randint(0, length, (tokens // length,))
    begun = time.perf_counter()
    with hardware.autocast():
        loss = model(
            input_ids=ids, attention_mask=torch.ones_like(ids), start_positions=places, end_positions=places
        ).loss
    loss.backward()
    model.zero_grad()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
