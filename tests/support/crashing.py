"""A scheduler that is killed at a chosen point: `python -m` it.

Takes a module and a function of it, the database's address, the chain's
height, and settings as JSON. The process turns the rounds, and dies by
SIGKILL when that function has done its work.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from services.api.db.session import Database
from services.api.leaderboard.turning import turn_rounds
from tests.support.api import settings_for


def main() -> None:
    """Turn the rounds, and do not survive it."""
    module, name, url, height, changes = sys.argv[1:]
    owner = import_module(module)
    whole = getattr(owner, name)

    def last(*args: Any, **kwargs: Any) -> None:
        whole(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, last)
    settings = settings_for(url, **json.loads(changes))
    turn_rounds(Database(url), settings, int(height), datetime.now(UTC))


if __name__ == "__main__":
    main()
