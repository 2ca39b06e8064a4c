"""The task: what is asked of the agent, and the means it is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.miner_agent.agent.bench import Judging
from services.miner_agent.agent.desk import Desk
from services.miner_agent.agent.limits import NO_BOUND, Budget, QuietHours
from services.miner_agent.agent.logbook import Logbook
from services.miner_agent.agent.saying import Say
from services.miner_agent.agent.workshop import Workshop
from services.miner_agent.proposers.protocol import Proposer


@dataclass(frozen=True)
class Task:
    """What is asked of the agent, and the means that it is given.

    Without a `desk` (a dry run) nothing is committed or handed in. `once`
    ends after one proposal. `least_gain` is what counts as faster.
    """

    workshop: Workshop
    logbook: Logbook
    judging: Judging
    proposer: Proposer
    desk: Desk | None
    say: Say
    sequence_length: int
    least_gain: float
    rules: str = ""
    budget: Budget = NO_BOUND
    quiet: QuietHours | None = None
    once: bool = False
    seed: int = 0
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
