"""What a proposer raises says how long to wait, where that was told."""

from services.miner_agent.proposers.protocol import NotNow


def test_a_wait_is_told_or_not():
    assert NotNow("busy", 3.0).seconds == 3.0
    assert NotNow("busy").seconds is None
    assert str(NotNow("busy")) == "busy"
