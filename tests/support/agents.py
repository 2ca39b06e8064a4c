"""A judge of one's own for the agent: right and fast by a kernel's text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from quasar_core.contracts.reports import Rejection, Source
from quasar_core.domain.outcomes import Ratio
from quasar_core.domain.scores import DerivedScore
from quasar_core.errors import RejectionCode, Stage

from services.miner_agent.validation import Validation

KERNEL = """\
SPEED = 1
WIDTH = 8


def chunk_quasar(q, k, v, beta, **kwargs):
    return v, None
"""


def number(source: Source, name: str) -> int:
    """What a constant of the kernel says."""
    text = "".join(file.text for file in source.files)
    found = re.search(rf"^{name} = (\d+)", text, re.MULTILINE)
    assert found, text
    return int(found[1])


@dataclass
class ScriptedJudge:
    """As fast as SPEED says, and wrong above `wrong_above`.

    Stands for a device that is not here; screening is real. `before` is
    called before each answer, and may raise.
    """

    wrong_above: int = 8
    logits_differ_at: int = 0
    noise: float = 0.01
    before: Callable[[str], None] = lambda what: None
    calls: list[str] = field(default_factory=list)

    def judge(self, source: Source) -> Validation:
        """The speed, or a rejection."""
        self._note("judge", source)
        speed = number(source, "SPEED")
        if speed > self.wrong_above:
            return Validation(512, rejection=wrong(Stage.CORRECTNESS))
        score = DerivedScore(
            tokens_per_sec=1_000.0 * speed,
            low=990.0 * speed,
            high=1_010.0 * speed,
            speedup_vs_baseline=float(speed),
        )
        return Validation(512, score=score, source=source)

    def race(self, challenger: Source, best: Source) -> Ratio | Rejection:
        """The ratio of both speeds."""
        self._note("race", challenger)
        ratio = number(challenger, "SPEED") / number(best, "SPEED")
        return Ratio(ratio - self.noise, ratio + self.noise)

    def verify(self, source: Source) -> Rejection | None:
        """Whether the logits differ."""
        self._note("verify", source)
        differ = number(source, "SPEED") == self.logits_differ_at
        return wrong(Stage.LOGITS) if differ else None

    def _note(self, what: str, source: Source) -> None:
        told = f"{what} {number(source, 'SPEED')}"
        self.calls.append(told)
        self.before(told)


def wrong(stage: Stage) -> Rejection:
    """A verdict against a kernel."""
    code = (
        RejectionCode.LOGITS_DIFFER
        if stage is Stage.LOGITS
        else RejectionCode.OUTPUT_MISMATCH
    )
    return Rejection(code=code, stage=stage, detail="row 7")
