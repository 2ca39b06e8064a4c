"""Reports: told once, kept until they are delivered, in their order."""

from __future__ import annotations

import pytest
from quasar_core.chain.signatures import RequestSigner
from quasar_core.client.answers import ApiUnavailable, ProblemAnswer
from quasar_core.contracts.http import Accepted, WeightsReport
from quasar_core.errors import ProblemCode

from services.weight_setter.reports import UNSENT_LIMIT, Reports
from tests.support.wallets import address, keypair


class Door:
    """Takes reports, unless it is told to fail."""

    def __init__(self) -> None:
        self.taken: list[WeightsReport] = []
        self.fault: Exception | None = None

    def report_weights(self, report: WeightsReport) -> Accepted:
        if self.fault is not None:
            raise self.fault
        self.taken.append(report)
        return Accepted()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def reports(door) -> Reports:
    return Reports(door, RequestSigner(keypair("validator"), address("api")))


def skipped(reason: str, number: int | None = 1) -> WeightsReport:
    return WeightsReport(
        round_number=number, outcome="skipped", reason=reason, netuid=24
    )


def test_what_only_counts_blocks_otherwise_is_told_once(reports, door):
    for reason in ("rate_limited: 9 blocks", "rate_limited: 8 blocks"):
        reports.tell(skipped(reason))
        reports.send()

    assert door.taken == [skipped("rate_limited: 9 blocks")]


@pytest.mark.parametrize(
    "other", [skipped("no permit"), skipped("rate_limited: 9 blocks", 2)]
)
def test_another_reason_or_round_is_told(reports, door, other):
    reports.tell(skipped("rate_limited: 9 blocks"))
    reports.tell(other)
    reports.send()

    assert door.taken == [skipped("rate_limited: 9 blocks"), other]


@pytest.mark.parametrize(
    "fault",
    [
        ApiUnavailable("away"),
        ProblemAnswer(503, ProblemCode.UNAVAILABLE, "starting"),
    ],
)
def test_what_cannot_be_delivered_waits_its_turn(reports, door, fault):
    door.fault = fault
    reports.tell(skipped("a"))
    reports.send()
    door.fault = None
    reports.tell(skipped("b"))
    reports.send()

    assert door.taken == [skipped("a"), skipped("b")]


def test_what_is_refused_makes_room_for_the_next(reports, door):
    door.fault = ProblemAnswer(403, ProblemCode.NOT_PERMITTED, "no permit")
    reports.tell(skipped("a"))
    reports.send()
    door.fault = None
    reports.send()

    assert door.taken == []


def test_without_a_receiver_nothing_can_be_signed_yet(door):
    signer = RequestSigner(keypair("validator"))
    reports = Reports(door, signer)
    reports.tell(skipped("a"))
    reports.send()
    assert door.taken == []

    signer.learn(address("api"))
    reports.send()
    assert door.taken == [skipped("a")]


def test_of_an_endless_outage_only_the_newest_is_kept(reports, door):
    for number in range(UNSENT_LIMIT + 5):
        reports.tell(skipped("a", number))
    reports.send()

    assert [each.round_number for each in door.taken] == list(
        range(5, UNSENT_LIMIT + 5)
    )
