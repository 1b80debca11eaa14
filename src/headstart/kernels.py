"""Attention and dropout for CPUs: the same mathematics as torch's, in an order that suits caches and cores.

What a profile of the usual kernels shows, and what is done about it (figures in docs/performance.md):

* Scores of attention, (batch, heads, length, length), are written and read several times from main memory.
  `tiled_attention` works on as many windows at a time as fit into the cache, and keeps bf16 throughout.
* Masks of dropout are drawn number by number. `BitDropout` cuts four of them from each random 64-bit word.
"""

from __future__ import annotations

from typing import Any

import torch

from headstart.hardware import TILED

CACHE_BYTES = 4 * 2**20  # scores worked on at a time
LANES = 4  # 16-bit numbers in a 64-bit word
LOWEST = -(2**15)
WORDS = 2**16


class BitDropout(torch.nn.Module):
    """Dropout as `torch.nn.Dropout`, its probability rounded to a multiple of 2⁻¹⁶, several times faster on a CPU."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Zero a share of `p` of the values and scale the rest, while training."""
        if not self.training or not self.p:
            return hidden
        return hidden * dropout_mask(hidden.shape, self.p, hidden.dtype)

    def extra_repr(self) -> str:
        """What torch shows between the brackets."""
        return f"p={self.p}"


def dropout_mask(shape: torch.Size, p: float, dtype: torch.dtype) -> torch.Tensor:
    """A mask of this shape: 0 with probability p, otherwise what keeps the mean.

    >>> dropout_mask(torch.Size([2, 2]), 0.0, torch.float32).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    count, dropped = shape.numel(), round(p * WORDS)
    words = torch.empty(-(-count // LANES), dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(torch.int16)[:count].view(shape) >= LOWEST + dropped
    return kept.to(dtype).mul_(WORDS / (WORDS - dropped))


def quicken_dropout(model: torch.nn.Module) -> None:
    """Put `BitDropout` in the place of every `torch.nn.Dropout`; weights and their names stay as they are."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is torch.nn.Dropout:
                setattr(module, name, BitDropout(child.p).train(child.training))


class TiledAttention(torch.autograd.Function):
    """softmax(query · keyᵀ + mask) · value over (batch · heads, length, width) tensors, some windows at a time."""

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        mask: torch.Tensor | None,
        heads: int,
        dropout: float,
    ) -> torch.Tensor:
        """Returns (batch · heads, length, width)."""
        rows, length, _ = query.shape
        shape = (rows, length, key.shape[1])
        tile = _rows_in_cache(shape, heads, query.element_size())
        learns = any(ctx.needs_input_grad)
        shares = query.new_empty(shape if learns else (min(tile, rows), *shape[1:]))
        kept = dropout_mask(torch.Size(shape), dropout, query.dtype) if dropout else None
        mixed = torch.empty_like(query)
        for begin in range(0, rows, tile):
            part = slice(begin, min(begin + tile, rows))
            scores = torch.bmm(query[part], key[part].transpose(1, 2))
            if mask is not None:
                _add_mask(scores, mask, part, heads)
            share = torch.softmax(scores, -1, out=shares[part] if learns else shares[: len(scores)])
            torch.bmm(share if kept is None else share * kept[part], value[part], out=mixed[part])
        ctx.save_for_backward(query, key, value, shares if learns else None, kept)
        ctx.tile = tile
        return mixed

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Gradients of query, key and value."""
        query, key, value, shares, kept = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        to_query, to_key, to_value = (torch.empty_like(tensor) for tensor in (query, key, value))
        for begin in range(0, len(query), ctx.tile):
            part = slice(begin, begin + ctx.tile)
            share = shares[part]
            used = share if kept is None else share * kept[part]
            torch.bmm(used.transpose(1, 2), gradient[part], out=to_value[part])
            to_share = torch.bmm(gradient[part], value[part].transpose(1, 2))
            if kept is not None:
                to_share *= kept[part]
            to_scores = torch.ops.aten._softmax_backward_data(to_share, share, -1, share.dtype)
            torch.bmm(to_scores, key[part], out=to_query[part])
            torch.bmm(to_scores.transpose(1, 2), query[part], out=to_key[part])
        return to_query, to_key, to_value, None, None, None


def _rows_in_cache(shape: tuple[int, int, int], heads: int, bytes_each: int) -> int:
    """Whole windows, so that a mask that all heads share is added in one go."""
    return heads * max(CACHE_BYTES // (heads * shape[1] * shape[2] * bytes_each), 1)


def _add_mask(scores: torch.Tensor, mask: torch.Tensor, part: slice, heads: int) -> None:
    """Add (batch or 1, heads or 1, length or 1, length) to the scores of the windows in `part`."""
    windows = mask if len(mask) == 1 else mask[part.start // heads : part.stop // heads]
    scores.view(-1, heads, *scores.shape[1:]).add_(windows)


def tiled_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as transformers calls it: (batch, heads, length, width) → (batch, length, heads, width)."""
    batch, heads, length, width = query.shape
    scale = width**-0.5 if scaling is None else scaling
    if key.shape[1] != heads:
        key, value = (tensor.repeat_interleave(heads // tensor.shape[1], dim=1) for tensor in (key, value))
    with torch.autocast(query.device.type, enabled=False):
        flat = [tensor.reshape(batch * heads, -1, width) for tensor in (query * scale, key, value)]
        mixed: torch.Tensor = TiledAttention.apply(*flat, attention_mask, heads, dropout)  # type: ignore[no-untyped-call]
    return mixed.view(batch, heads, length, width).transpose(1, 2).contiguous(), None


def _mask(*args: Any, **kwargs: Any) -> torch.Tensor | None:
    """What is added to the scores. bf16 holds float32's lowest number only as -inf, which softmax cannot divide by."""
    from transformers.masking_utils import eager_mask

    mask = eager_mask(*args, **kwargs)
    return None if mask is None else mask.clamp(min=torch.finfo(torch.bfloat16).min).to(torch.bfloat16)


def register_attention() -> None:
    """Make `attn_implementation="tiled"` known to transformers."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(TILED, tiled_attention)
    AttentionMaskInterface.register(TILED, _mask)
