"""The prompt: the files that may be edited, the rules, what came before.

Nothing else goes to a model: no path of this machine, no key, no token.
"""

from __future__ import annotations

from quasar_core.domain.import_tables import ALLOWED
from quasar_core.domain.sources import (
    KERNEL_FOLDER,
    MAX_FILE_BYTES,
    MAX_TOTAL_BYTES,
)

from services.miner_agent.proposers.protocol import Situation
from services.miner_agent.proposers.reply import FORM

REMEMBERED = 12
_PACKAGES = {name for name in ALLOWED if not name.startswith("torch.")}

RULES = f"""\
You make a PyTorch or Triton kernel faster. A judge calls `chunk_quasar(q, k,
v, beta, initial_state=None, output_final_state=False, cu_seqlens=None,
**kwargs) -> (o, final_state | None)`, exported by the package
{KERNEL_FOLDER.replace("/", ".")}, on fresh secret inputs, compares every row
of every timed call with a trusted kernel's, and measures tokens per second.
Wrong by a row, or faster on paper only, is a rejection: never skip work,
cache results, or depend on the inputs' values.

- Only the files below may be changed, each as a whole. No new files.
- A file has at most {MAX_FILE_BYTES} bytes, all together {MAX_TOTAL_BYTES}.
- Imports: {", ".join(sorted(_PACKAGES))}, and relative ones inside the folder.
- No exec, eval, compile, open, no dunder internals, no inline assembly.
- Inputs stay as they are; outputs have v's shape and dtype.

Answer in exactly this form, and with nothing else:

{FORM}"""


def messages_for(situation: Situation) -> list[dict[str, str]]:
    """The conversation that a model is given: rules, then the work."""
    return [
        {"role": "system", "content": f"{RULES}\n{situation.rules}".strip()},
        {"role": "user", "content": _work(situation)},
    ]


def _work(situation: Situation) -> str:
    files = "".join(
        f"=== FILE {KERNEL_FOLDER}/{name}\n{text}=== END\n"
        for name, text in sorted(situation.files.items())
    )
    tried = "".join(
        f"- {'KEPT' if one.kept else 'not kept'}: {one.summary}:"
        f" {one.result}\n"
        for one in situation.tried[-REMEMBERED:]
    )
    return (
        f"{situation.standing}\n\nWhat was tried last, oldest first:\n"
        f"{tried or '- nothing yet'}\n\nThe files that may be edited:\n\n"
        f"{files}\nPropose one change that makes it faster."
    )
