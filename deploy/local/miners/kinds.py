"""The miners of the demo: what their kernels do, and what they deserve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quasar_core.domain.submissions import Status
from quasar_core.errors import RejectionCode
from quasar_core.judge.pinned import baseline_files

KERNELS = Path(__file__).with_name("kernels")


@dataclass(frozen=True)
class Kind:
    """A sort of miner.

    `kernel` names a folder beside this module; without one the miner races
    the baseline as it is. `leagues` times the round's league unit is the
    sequence length he plays at. `copies` names the kind whose files he
    sends in as his own, at least one block later.
    """

    name: str
    story: str
    leagues: int
    code: RejectionCode | None = None
    kernel: str | None = None
    copies: str | None = None

    @property
    def status(self) -> Status:
        """The status in which his submission deserves to end."""
        return Status.SCORED if self.code is None else Status.REJECTED

    def files(self) -> Mapping[str, bytes]:
        """What his fork holds in `fla/ops/quasar/`, by file name."""
        if self.kernel is None:
            return baseline_files()
        return {
            path.name: path.read_bytes()
            for path in sorted((KERNELS / self.kernel).glob("*.py"))
        }


KINDS = (
    Kind(
        "honest_fast",
        "the chunk form, as the baseline has it",
        leagues=2,
    ),
    Kind(
        "honest_slow",
        "the recurrence, head by head and token by token",
        leagues=1,
        kernel="honest_slow",
    ),
    Kind(
        "no_mask",
        "no causal mask inside a chunk",
        leagues=3,
        code=RejectionCode.OUTPUT_MISMATCH,
        kernel="no_mask",
    ),
    Kind(
        "forgetful",
        "drops the state between chunks",
        leagues=2,
        code=RejectionCode.OUTPUT_MISMATCH,
        kernel="forgetful",
    ),
    Kind(
        "forbidden_import",
        "calls a kernel that is not in this race",
        leagues=5,
        code=RejectionCode.FORBIDDEN_IMPORT,
        kernel="forbidden_import",
    ),
    Kind(
        "liar",
        "prints 1e12 tokens/s and returns zeros at once",
        leagues=10,
        code=RejectionCode.OUTPUT_MISMATCH,
        kernel="liar",
    ),
    Kind(
        "killer",
        "crashes the process that runs it",
        leagues=4,
        code=RejectionCode.PROCESS_EXIT,
        kernel="killer",
    ),
    Kind(
        "copy",
        "the files of honest_fast, sent in later",
        leagues=2,
        copies="honest_fast",
    ),
)


def kind_named(name: str) -> Kind:
    """The kind of that name; raises KeyError for any other."""
    return {kind.name: kind for kind in KINDS}[name]
