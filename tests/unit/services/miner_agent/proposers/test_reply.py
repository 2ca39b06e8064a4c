"""A model's reply is used whole and only where it may be, or not at all."""

import pytest
from quasar_core.domain.sources import MAX_FILE_BYTES

from services.miner_agent.proposers.protocol import UnusableReply
from services.miner_agent.proposers.reply import read_reply

FILES = {"__init__.py": "from .chunk import f\n", "chunk.py": "f = 1\n"}
FOLDER = "fla/ops/quasar"


def writing(path, text="f = 2\n"):
    return f"=== FILE {path}\n{text}=== END\n"


def test_whole_files_take_the_place_of_those_of_their_names():
    proposal = read_reply(
        f"Sure!\nSUMMARY: twice as much \n{writing(f'{FOLDER}/chunk.py')}bye",
        FILES,
    )
    assert proposal.summary == "twice as much"
    assert proposal.files == {"chunk.py": "f = 2\n"}
    assert proposal.choices == {}


def test_windows_lines_fences_and_bare_names_are_understood():
    text = writing("chunk.py", "```python\nf = 3\n```\n")
    proposal = read_reply(text.replace("\n", "\r\n"), FILES)
    assert proposal.files == {"chunk.py": "f = 3\n"}
    assert proposal.summary == "a change without a word"


@pytest.mark.parametrize(
    "path",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        f"{FOLDER}/../../__init__.py",
        f"{FOLDER}/new.py",
        "fla/ops/quasar",
        ".git/hooks/pre-commit",
        f"{FOLDER}//chunk.py",
        f"{FOLDER}/{FOLDER}/chunk.py",
        "chunk.py\0",
    ],
)
def test_no_other_path_is_ever_written(path):
    good = writing("chunk.py")
    with pytest.raises(UnusableReply, match="none of the files"):
        read_reply(good + writing(path), FILES)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no file"),
        ("I am sorry, I cannot.", "holds no file"),
        (writing("chunk.py").replace("=== END", ""), "holds no file"),
        (writing("chunk.py") * 2, "twice"),
        (writing("chunk.py", "f = 1\n"), "changes nothing"),
        (writing("chunk.py", "#" * MAX_FILE_BYTES + "\n"), "at most"),
        (writing("chunk.py", "f = '\0'\n"), "NUL"),
        (writing("chunk.py", "f = '\ud800'\n"), "no Unicode"),
    ],
)
def test_what_cannot_be_applied_is_told_and_nothing_of_it_used(text, why):
    with pytest.raises(UnusableReply, match=why):
        read_reply(text, FILES)
