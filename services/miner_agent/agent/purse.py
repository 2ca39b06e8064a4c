"""The purse: a shift's money for a model, as far as its budget goes."""

from __future__ import annotations

from dataclasses import dataclass

from services.miner_agent.agent.limits import BudgetSpent
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.tables import Shift


@dataclass(frozen=True)
class ShiftPurse:
    """Money for a model, as far as the shift's budget goes."""

    logbook: Logbook
    shift: Shift
    limit: float | None

    def reserve(self, most: float) -> int:
        """Room for a call that costs this at most; BudgetSpent for none."""
        spent = self.logbook.spent(self.shift)
        if self.limit is not None and spent + most > self.limit:
            raise BudgetSpent(
                f"{spent:.4g} of {self.limit:g} are spent, and the next call"
                f" may cost {most:.4g}"
            )
        return self.logbook.reserve(self.shift, most)

    def settle(self, call: int, cost: float) -> None:
        """What the call did cost."""
        self.logbook.settle(call, cost)
