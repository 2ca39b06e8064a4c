"""QuasarAttention's operators: a fork replaces this folder, whole."""

from .chunk import chunk_quasar
from .chunk_intra_token_parallel import chunk_intra_token_parallel
from .forward_substitution import forward_substitution
from .fused_recurrent import fused_recurrent_quasar
from .gate import fused_quasar_gate
from .naive import naive_quasar

__all__ = [
    "chunk_intra_token_parallel",
    "chunk_quasar",
    "forward_substitution",
    "fused_quasar_gate",
    "fused_recurrent_quasar",
    "naive_quasar",
]
