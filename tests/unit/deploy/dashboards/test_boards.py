import re

import pytest
from prometheus_client import REGISTRY
from quasar_core.telemetry import metrics

from deploy.dashboards.boards import BOARDS

RECORDED = re.compile(r"quasar:\w+:\w+")
SERIES = re.compile(r"\bquasar_\w+")


def known_series():
    """Every series that a process of ours can show."""
    names = {
        f"{metric.name}{suffix}"
        for metric in REGISTRY.collect()
        for suffix in ("", "_total", "_bucket", "_count", "_sum")
        if metric.name.startswith("quasar_")
    }
    assert metrics.QUEUE_DEPTH is not None
    return names


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_query_asks_for_series_that_there_are(board):
    asked = {
        name
        for query in board.expressions
        for name in SERIES.findall(RECORDED.sub("", query))
    }
    assert asked
    assert asked <= known_series()


def test_no_two_boards_share_a_name():
    assert len({board.uid for board in BOARDS}) == len(BOARDS)
