"""Challenges on a card: honest ones, and sides that do not stand still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from uuid import uuid4

from quasar_core.contracts.events import Contender
from quasar_core.contracts.reports import Source
from quasar_core.judge.challenge import challenge
from quasar_core.judge.health import canary
from quasar_core.judge.pinned import baseline_source

from tests.gpu.judge_steps import Bench, Row
from tests.redteam.catalogue import ATTACKS, catalogue

TOKENS = 100_032
RESTLESS = ("A2-works_while_frozen", "C5-hoards_device_memory")


def challenges(bench: Bench) -> Iterator[Row]:
    """Each pair's fault, or how much faster the challenger was."""
    attacks = {one.name: one.source for one in catalogue(ATTACKS)}
    pairs = [("honest", "honest")]
    pairs += [(name, "honest") for name in RESTLESS]
    pairs += [("honest", name) for name in RESTLESS]
    for challenger, defender in pairs:
        sides = (challenger, defender)
        yield {
            "challenger": challenger,
            "defender": defender,
            **_run(bench, *(attacks.get(s, baseline_source()) for s in sides)),
        }


def _run(bench: Bench, challenger: Source, defender: Source) -> Row:
    started = time.perf_counter()
    report = challenge(
        Contender(source=challenger, sequence_length=TOKENS),
        Contender(source=defender, sequence_length=TOKENS),
        run_id=str(uuid4()),
        settings=bench.settings,
        sandbox=bench.sandbox,
        progress=lambda _: None,
        scratch=bench.folder,
        ground=bench.ground,
    )
    row: Row = {"seconds": time.perf_counter() - started}
    if report.fault is not None:
        rejection = report.fault.rejection
        row |= {
            "fault_of": report.fault.side,
            "code": rejection.code.value,
            "stage": rejection.stage.value,
            "evidence": dict(rejection.evidence),
        }
    if report.timing is not None:
        sides = (report.timing.defender, report.timing.challenger)
        theirs, ours = (median(side.samples) for side in sides)
        row |= {"ratio": theirs / ours, "challenger_seconds": ours}
    return row | {"canary_seconds": canary(bench.ground)}
