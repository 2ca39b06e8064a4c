"""The reader: run inside a sandbox, it reads what strangers wrote.

`fetch` takes the kernel files of a commit with git; `screen` parses kernel
files. The answer is frames on standard output. It imports the standard
library and, of ours, what does not go beyond it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quasar_core.domain.identity import identity
from quasar_core.domain.screening import screen
from quasar_core.domain.sources import check_names_and_sizes, read_text
from quasar_core.errors import SubmissionFault, TransientError
from quasar_core.execution.frames import Kind, decode, encode, encode_fault
from quasar_core.execution.hardened_git import GitTimeout
from quasar_core.execution.relay import Relay
from quasar_core.execution.taking import Taking, take


def main() -> None:
    """Do the one deed that the argument asks for, and answer."""
    asked = json.loads(sys.argv[1])
    try:
        answer = DEEDS[asked.pop("deed")](asked)
    except SubmissionFault as fault:
        answer = encode_fault(fault)
    except GitTimeout as error:
        answer = encode(Kind.LATE, (str(error).encode(),))
    except TransientError as error:
        answer = encode(Kind.WORLD, (str(error).encode(),))
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


def fetch(asked: dict[str, Any]) -> bytes:
    """The files of a commit, and their identity."""
    lanes, target = asked.pop("lanes"), asked.pop("target")
    settings: list[str] = asked.pop("settings")
    if lanes:
        port = Relay(lanes, target).port
        if target is None:
            settings.append(f"http.proxy=http://127.0.0.1:{port}")
        else:
            here = f"127.0.0.1:{port}"
            asked["url"] = asked["url"].replace(target, here, 1)
    with tempfile.TemporaryDirectory() as folder:
        files = take(Taking(**asked, settings=settings), Path(folder))
    return encode(Kind.FILES, (named(files), *flat(files)))


def named(files: Mapping[str, bytes]) -> bytes:
    """The identity of files that are text, as one blob."""
    check_names_and_sizes({name: len(each) for name, each in files.items()})
    texts = {name: read_text(name, files[name]) for name in sorted(files)}
    return identity(texts).encode()


def flat(files: Mapping[str, bytes]) -> list[bytes]:
    """Name and content of each file, one after the other."""
    return [
        part for name in sorted(files) for part in (name.encode(), files[name])
    ]


def look(asked: dict[str, Any]) -> bytes:
    """Whether the files that come on a descriptor break the policy."""
    with os.fdopen(asked["descriptor"], "rb") as given:
        names = iter(decode(given.read()).blobs)
    files = dict(zip(map(bytes.decode, names), names, strict=True))
    screen(files)
    return encode(Kind.WELL)


DEEDS = {"fetch": fetch, "screen": look}


if __name__ == "__main__":
    main()
