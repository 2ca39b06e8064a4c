from datetime import timedelta
from uuid import UUID

from quasar_core.contracts.http import BanKind

from services.api.admin.history import orders, record
from services.api.db import eventlog
from services.api.db.records import LogRow
from tests.support.played import NOW, hotkey_of, id_of

BOSS = f"admin:{hotkey_of(1)}"


def row(**changes):
    values = {
        "sequence": 7,
        "actor": BOSS,
        "kind": "admin",
        "occurred_at": NOW,
        "evidence": {"order": "lift", "reason": "a mistake"},
    }
    return LogRow(**{**values, **changes})


def test_a_ban_says_whom_it_is_about_and_until_when():
    until = NOW + timedelta(hours=2)
    told = record(
        row(
            evidence={
                "order": "ban",
                "reason": "a flood",
                "kind": "address",
                "subject": "192.0.2.0/24",
                "until": until.isoformat(),
            }
        )
    )
    assert (told.order, told.reason) == ("ban", "a flood")
    assert (told.kind, told.subject) == (BanKind.ADDRESS, "192.0.2.0/24")
    assert (told.until, told.ordered_by) == (until, hotkey_of(1))


def test_an_old_order_to_close_a_round_has_no_name_of_its_own():
    opened = {"order": "open-round", "reason": "x"}
    assert record(row(kind="round", evidence=opened)).order == "open-round"
    told = record(row(kind="round", round_number=3, evidence={"reason": "x"}))
    assert (told.order, told.round_number, told.kind) == (
        "close-round",
        3,
        None,
    )


def test_only_orders_are_told_newest_first_and_in_pages(sqlite_world):
    with sqlite_world.database.write() as session:
        for number, (kind, actor) in enumerate(
            [
                *[("admin", BOSS)] * 3,
                ("carried", BOSS),
                ("moved", "miner:admin:"),
                ("moved", "scheduler"),
            ]
        ):
            eventlog.append(
                session,
                kind=kind,
                actor=actor,
                now=NOW,
                submission_id=id_of(number),
                evidence={"order": f"order-{number}", "reason": "why"},
            )
    with sqlite_world.database.read() as session:
        first = orders(session, before=None, limit=2)
        assert [one.order for one in first.orders] == ["order-2", "order-1"]
        assert first.orders[0].submission_id == UUID(int=3)
        assert first.next_cursor is not None
        rest = orders(session, before=int(first.next_cursor), limit=2)
        assert [one.order for one in rest.orders] == ["order-0"]
        assert rest.next_cursor is None
