"""The prompt is made of the files, the rules and the last verdicts."""

from services.miner_agent.proposers.prompt import REMEMBERED, messages_for
from services.miner_agent.proposers.protocol import Situation, Tried
from services.miner_agent.proposers.reply import read_reply

FILES = {"__init__.py": "from .chunk import f\n", "chunk.py": "f = 1\n"}


def test_a_model_is_told_rules_files_speed_and_what_came_before():
    tried = tuple(
        Tried(f"try {n}", n == 13, f"result {n}") for n in range(1, 15)
    )
    situation = Situation(FILES, tried, "At 512 tokens.", "It runs at 7.")
    system, user = messages_for(situation)
    assert (system["role"], user["role"]) == ("system", "user")
    assert system["content"].endswith("At 512 tokens.")
    assert "chunk_quasar" in system["content"]
    assert "=== FILE fla/ops/quasar/chunk.py\nf = 1\n=== END" in (
        user["content"]
    )
    assert user["content"].startswith("It runs at 7.")
    assert "- KEPT: try 13: result 13" in user["content"]
    assert "- not kept: try 14: result 14" in user["content"]
    assert user["content"].count("result ") == REMEMBERED


def test_the_form_that_is_asked_for_is_the_one_that_is_read():
    system, _ = messages_for(Situation(FILES))
    form = system["content"].partition("nothing else:\n\n")[2]
    reply = read_reply(form.replace("NAME.py", "chunk.py"), FILES)
    assert reply.summary.startswith("one line")
    assert reply.files == {"chunk.py": "the whole new text of that file\n"}


def test_before_the_first_try_that_is_said():
    _, user = messages_for(Situation(FILES))
    assert "- nothing yet" in user["content"]
