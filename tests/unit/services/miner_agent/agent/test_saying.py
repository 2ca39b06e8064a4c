"""Events are told as sentences, or as objects; never as terminal codes."""

import json

from services.miner_agent.agent.saying import saying


def test_people_read_sentences_and_machines_objects():
    lines = []
    saying(lines.append, as_json=False)("kept", "try 1: \x1b[2Jkept", id=1)
    saying(lines.append, as_json=True)("kept", "try 1: \x1b[2Jkept", id=1)
    assert lines[0] == "try 1: \\x1b[2Jkept"
    assert json.loads(lines[1]) == {
        "event": "kept",
        "told": "try 1: \x1b[2Jkept",
        "id": 1,
    }
