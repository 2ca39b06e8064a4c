"""A model's reply: whole files in a plain form, or nothing of it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quasar_core.domain.sources import (
    KERNEL_FOLDER,
    check_names_and_sizes,
    read_text,
)
from quasar_core.errors import SubmissionFault

from services.miner_agent.proposers.protocol import Proposal, UnusableReply

SUMMARY_LIMIT = 200

FORM = f"""\
SUMMARY: one line that says what you changed and why
=== FILE {KERNEL_FOLDER}/NAME.py
the whole new text of that file
=== END
"""
"""How a reply must look; `=== FILE ...` to `=== END` once for each file."""

_SUMMARY = re.compile(r"^SUMMARY:[ \t]*(.+)$", re.MULTILINE)
_FILE = re.compile(
    r"^=== FILE (.+?)[ \t]*\n(.*?)^=== END[ \t]*$", re.MULTILINE | re.DOTALL
)
_FENCE = re.compile(
    r"\A```[a-z]*\n(.*)^```[ \t]*\n\Z", re.MULTILINE | re.DOTALL
)


def read_reply(text: str, files: Mapping[str, str]) -> Proposal:
    """The change that a reply asks for; `files` are those it may replace.

    Raises UnusableReply where it names any other file, one twice, none, or
    changes nothing, and where a file is too large or is no text.
    """
    text = text.replace("\r\n", "\n")
    replaced: dict[str, str] = {}
    for path, content in _FILE.findall(text):
        name = path.removeprefix(f"{KERNEL_FOLDER}/")
        if name not in files:
            raise UnusableReply(
                f"the reply writes {path[:200]!a}, which is none of the"
                f" files that may be edited: {', '.join(sorted(files))}"
            )
        if name in replaced:
            raise UnusableReply(f"the reply writes {name} twice")
        fenced = _FENCE.match(content)
        replaced[name] = fenced.group(1) if fenced else content
    if not replaced:
        raise UnusableReply(
            "the reply holds no file between `=== FILE` and `=== END`"
        )
    _check(replaced, files)
    changed = {
        name: content
        for name, content in replaced.items()
        if content != files[name]
    }
    if not changed:
        raise UnusableReply("the reply changes nothing")
    said = _SUMMARY.search(text)
    summary = said.group(1).strip() if said else "a change without a word"
    return Proposal(summary=summary[:SUMMARY_LIMIT], files=changed)


def _check(replaced: Mapping[str, str], files: Mapping[str, str]) -> None:
    try:
        whole = {
            name: content.encode()
            for name, content in {**files, **replaced}.items()
        }
        check_names_and_sizes(
            {name: len(content) for name, content in whole.items()}
        )
        for name, content in whole.items():
            read_text(name, content)
    except UnicodeEncodeError as fault:
        raise UnusableReply("the reply is no Unicode text") from fault
    except SubmissionFault as fault:
        raise UnusableReply(fault.detail or fault.sentence) from fault
