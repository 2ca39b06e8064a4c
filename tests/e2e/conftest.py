"""One demo, played once through the front door, for all who look at it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.platform import quasar

DEMO_SECONDS = 600.0


@dataclass(frozen=True)
class PlayedDemo:
    """How `quasar demo --json` ended, and the folder that it left."""

    exit_code: int
    stdout: str
    stderr: str
    folder: Path

    @property
    def result(self) -> dict[str, Any]:
        """The JSON object of its last line."""
        return json.loads(self.stdout.splitlines()[-1])

    def submission(self, kind: str) -> dict[str, Any]:
        """What became of that kind's submission."""
        (found,) = [
            one for one in self.result["submissions"] if one["kind"] == kind
        ]
        return found


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> PlayedDemo:
    """The demo of this session; its folder stays until the end."""
    folder = tmp_path_factory.mktemp("demo")
    ended = quasar(
        "demo", "--json", "--directory", str(folder), timeout=DEMO_SECONDS
    )
    return PlayedDemo(ended.returncode, ended.stdout, ended.stderr, folder)
