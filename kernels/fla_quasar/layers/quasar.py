"""`QuasarAttention`: projections, short convolutions, core, gated norm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.nn.functional import linear, silu, softplus

from ..modules.gated_norm import GatedRMSNorm
from ..modules.short_conv import LONGEST_WINDOW, ShortConvolution
from ..ops.quasar.chunk import chunk_quasar
from ..ops.quasar.dispatch import runs_triton, triton_state
from ..ops.quasar.fused_recurrent import fused_recurrent_quasar
from ..ops.quasar.inputs import check_head_dim, check_layout

CORES = {"chunk": chunk_quasar, "fused_recurrent": fused_recurrent_quasar}
# The values before the next token for the convolutions of q, k and v.
Pasts = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Prepared:
    """What the core takes: q, k, v `[B, T, H, S]` and beta `[H]`.

    `pasts` are what the convolutions must know of these tokens to go on
    after them, or None where that was not asked for. `low` is the gate's
    low-rank projection `[B, T, S]` where it came with the others.
    """

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    beta: torch.Tensor
    pasts: Pasts | None
    low: torch.Tensor | None = None


@dataclass(frozen=True)
class DecodingCache:
    """All that the layer remembers of the tokens so far.

    `state` is `[N, H, S, S]` in the accumulating dtype; `pasts` are
    `[N, conv_size - 1, H * S]` each, or None without convolutions. Its size
    does not grow with the number of tokens.
    """

    state: torch.Tensor
    pasts: Pasts | None


class QuasarAttention(nn.Module):
    """The layer of the competition.

    q, k and v are projections of the hidden states, each followed by a
    short causal convolution and SiLU; beta = softplus(beta_log) per head;
    the core's output passes an RMS norm per head with a sigmoid gate from
    a low-rank projection, then the output projection.

    Args:
        hidden_size, head_dim, num_heads: free, but for head_dim in
            {16, 32, 64, 128}.
        mode: "chunk" or "fused_recurrent", the form of the core. A single
            token that follows a cache is one recurrent step in both.
        use_short_conv, conv_size, conv_bias: the convolutions; without them
            q, k and v pass SiLU alone.
        layer_idx: the layer's place in a model; kept, not used.
        norm_eps: of the RMS norm.
        layout: "interleaved" (what is raced) or "causal": a language model
            needs "causal", and so do a cache and `cu_seqlens`.

    Raises:
        ValueError: if an argument is not as above.
    """

    def __init__(
        self,
        hidden_size: int,
        head_dim: int,
        num_heads: int,
        mode: str = "chunk",
        use_short_conv: bool = True,
        conv_size: int = 4,
        conv_bias: bool = False,
        layer_idx: int | None = None,
        norm_eps: float = 1e-5,
        layout: str = "interleaved",
    ) -> None:
        super().__init__()
        if mode not in CORES:
            raise ValueError(
                f"mode is {mode!r}; it must be 'chunk' or 'fused_recurrent'"
            )
        if hidden_size < 1 or num_heads < 1:
            raise ValueError(
                f"hidden_size is {hidden_size} and num_heads {num_heads};"
                " both must be at least 1"
            )
        check_head_dim(head_dim)
        check_layout(layout)
        triton_state()  # asked here, so that a compiler finds the answer
        self.hidden_size = hidden_size
        self.head_dim = head_dim
        self.num_heads = num_heads
        self.mode = mode
        self.use_short_conv = use_short_conv
        self.layer_idx = layer_idx
        self.layout = layout
        width = num_heads * head_dim
        self.q_proj = nn.Linear(hidden_size, width, bias=False)
        self.k_proj = nn.Linear(hidden_size, width, bias=False)
        self.v_proj = nn.Linear(hidden_size, width, bias=False)
        if use_short_conv:
            self.q_conv1d = ShortConvolution(width, conv_size, conv_bias)
            self.k_conv1d = ShortConvolution(width, conv_size, conv_bias)
            self.v_conv1d = ShortConvolution(width, conv_size, conv_bias)
        self.beta_log = nn.Parameter(
            torch.empty(num_heads).uniform_(1, 16).log()
        )
        self.g_proj = nn.Sequential(
            nn.Linear(hidden_size, head_dim, bias=False),
            nn.Linear(head_dim, width, bias=True),
        )
        self.o_norm = GatedRMSNorm(head_dim, norm_eps)
        self.o_proj = nn.Linear(width, hidden_size, bias=False)

    def forward(
        self,
        hidden_states: torch.Tensor,
        cache: DecodingCache | None = None,
        use_cache: bool = False,
        cu_seqlens: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, DecodingCache | None]:
        """`[B, T, hidden_size]` to the same shape, and a cache if asked.

        `cache` is what an earlier call with `use_cache` gave for the tokens
        before these; it is not changed. Raises ValueError for a cache or
        `cu_seqlens` in the interleaved layout, where tokens have no order
        across calls, and for wrong shapes.
        """
        if self.layout != "causal" and (use_cache or cache is not None):
            raise ValueError(
                "decoding with a cache needs layout='causal': in the"
                " interleaved layout no token comes after the others"
            )
        x = self.prepare(
            hidden_states,
            cache.pasts if cache else None,
            use_cache,
            cu_seqlens,
        )
        decodes = cache is not None and hidden_states.shape[1] == 1
        o, state = _core("fused_recurrent" if decodes else self.mode)(
            x.q,
            x.k,
            x.v,
            x.beta,
            initial_state=cache.state if cache else None,
            output_final_state=use_cache,
            cu_seqlens=cu_seqlens,
            layout=self.layout,
        )
        output = self.combine(o, hidden_states, x.low)
        return output, None if state is None else DecodingCache(state, x.pasts)

    def prepare(
        self,
        hidden_states: torch.Tensor,
        pasts: Pasts | None = None,
        keep_pasts: bool = False,
        cu_seqlens: torch.Tensor | None = None,
    ) -> Prepared:
        """All that comes before the core.

        Raises ValueError unless `hidden_states` is `[B, T, hidden_size]`.
        """
        if (
            hidden_states.dim() != 3
            or hidden_states.shape[2] != self.hidden_size
        ):
            raise ValueError(
                f"hidden_states has shape {list(hidden_states.shape)}; it"
                f" must be [B, T, {self.hidden_size}]"
            )
        together = self._is_fused(hidden_states) and pasts is None
        project = self._project_together if together else self._project
        (q, k, v), kept, low = project(
            hidden_states, pasts, keep_pasts, cu_seqlens
        )
        heads = (self.num_heads, self.head_dim)
        wide = torch.promote_types(self.beta_log.dtype, torch.float32)
        return Prepared(
            q.unflatten(2, heads),
            k.unflatten(2, heads),
            v.unflatten(2, heads),
            softplus(self.beta_log.to(wide)),
            kept,
            low,
        )

    def combine(
        self,
        o: torch.Tensor,
        hidden_states: torch.Tensor,
        low: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """All that comes after the core: o `[B, T, H, S]` to the output.

        `low` is what `prepare` made of the same hidden states, if it did.
        """
        if low is None:
            weight = self.g_proj.get_parameter("0.weight")
            low = linear(hidden_states, weight)
        if runs_triton(o):
            from ..modules.fused import gated_norm

            y = gated_norm(
                o,
                low,
                self.g_proj.get_parameter("1.weight"),
                self.g_proj.get_parameter("1.bias"),
                self.o_norm.weight,
                self.o_norm.eps,
            )
        else:
            gate = self.g_proj[1](low)
            y = self.o_norm(
                o, gate.unflatten(2, (self.num_heads, self.head_dim))
            )
        return self.o_proj(y.flatten(2))

    def _project(
        self,
        x: torch.Tensor,
        pasts: Pasts | None,
        keep_pasts: bool,
        cu_seqlens: torch.Tensor | None,
    ) -> tuple[Pasts, Pasts | None, None]:
        """q, k, v `[B, T, H * S]`, and what the convolutions must keep."""
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        if not self.use_short_conv:
            return (silu(q), silu(k), silu(v)), None, None
        kept = None
        if keep_pasts:
            kept = self._kept(q, k, v, pasts, cu_seqlens)
        before = pasts or (None, None, None)
        return (
            (
                self.q_conv1d(q, before[0], cu_seqlens),
                self.k_conv1d(k, before[1], cu_seqlens),
                self.v_conv1d(v, before[2], cu_seqlens),
            ),
            kept,
            None,
        )

    def _project_together(
        self,
        x: torch.Tensor,
        pasts: Pasts | None,
        keep_pasts: bool,
        cu_seqlens: torch.Tensor | None,
    ) -> tuple[Pasts, Pasts | None, torch.Tensor]:
        """As `_project`, and the gate's low-rank projection: one product.

        The hidden states are read once, and the convolutions are kernels.
        """
        from ..modules.fused import conv_silu_of_three

        projections = (self.q_proj, self.k_proj, self.v_proj, self.g_proj[0])
        weight = torch.cat(
            tuple(each.get_parameter("weight") for each in projections)
        )
        raw = linear(x, weight)
        convolutions = (self.q_conv1d, self.k_conv1d, self.v_conv1d)
        biases = tuple(y.bias for y in convolutions if y.bias is not None)
        parts, low = conv_silu_of_three(
            raw,
            torch.cat(tuple(y.weight for y in convolutions)),
            torch.cat(biases) if biases else None,
            cu_seqlens,
        )
        kept = None
        if keep_pasts:
            q, k, v = raw[..., : -self.head_dim].chunk(3, -1)
            kept = self._kept(q, k, v, pasts, cu_seqlens)
        return parts, kept, low

    def _kept(
        self,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        pasts: Pasts | None,
        cu_seqlens: torch.Tensor | None,
    ) -> Pasts:
        """What the convolutions must know of these tokens to go on."""
        before = pasts or (None, None, None)
        return (
            self.q_conv1d.last(q, before[0], cu_seqlens),
            self.k_conv1d.last(k, before[1], cu_seqlens),
            self.v_conv1d.last(v, before[2], cu_seqlens),
        )

    def _is_fused(self, x: torch.Tensor) -> bool:
        """Whether projections and convolutions of `x` are done together."""
        return (
            self.use_short_conv
            and self.q_conv1d.size <= LONGEST_WINDOW
            and runs_triton(x)
        )


def _core(
    form: str,
) -> Callable[..., tuple[torch.Tensor, torch.Tensor | None]]:
    """The operator of that form, as a compiler can take it if one asks."""
    if not torch.compiler.is_compiling():
        return CORES[form]
    from ..modules.opaque_core import opaque_core

    return partial(opaque_core, form)
