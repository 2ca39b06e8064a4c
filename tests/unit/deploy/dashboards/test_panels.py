import json

from deploy.dashboards.files import encoded
from deploy.dashboards.panels import (
    Board,
    Curve,
    Figure,
    Section,
    or_zero,
)

BOARD = Board(
    "a-board",
    "A board",
    (
        Section("Now", (Figure("Round", "max(r)"), Figure("Left", "max(l)"))),
        Section(
            "Over time",
            (Curve("Pace", {"{{a}}": "sum(p)", "bound": "vector(1)"}, "s"),),
        ),
    ),
)


def panels_of(board):
    built = json.loads(encoded(board))
    return {panel["title"]: panel for panel in built["panels"]}


def test_a_board_lists_every_query():
    assert BOARD.expressions == ("max(r)", "max(l)", "sum(p)", "vector(1)")


def test_the_panels_of_a_section_share_its_width():
    panels = panels_of(BOARD)
    assert panels["Now"]["type"] == "row"
    assert panels["Round"]["gridPos"]["w"] == 12
    assert panels["Left"]["gridPos"]["x"] == 12
    assert panels["Pace"]["gridPos"]["w"] == 24
    assert panels["Pace"]["gridPos"]["y"] > panels["Round"]["gridPos"]["y"]


def test_a_panel_asks_our_prometheus_each_query_under_its_own_letter():
    pace = panels_of(BOARD)["Pace"]
    assert pace["datasource"]["uid"] == "quasar-prometheus"
    assert pace["fieldConfig"]["defaults"]["unit"] == "s"
    assert [
        (one["refId"], one["expr"], one["legendFormat"])
        for one in pace["targets"]
    ] == [("A", "sum(p)", "{{a}}"), ("B", "vector(1)", "bound")]


def test_what_never_happened_counts_as_zero():
    assert or_zero("sum(x)") == "sum(x) or vector(0)"
