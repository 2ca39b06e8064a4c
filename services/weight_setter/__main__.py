"""`python -m services.weight_setter`: keep a validator's weights set."""

from __future__ import annotations

import sys

from quasar_core.errors import QuasarError

from services.weight_setter.app import serve
from services.weight_setter.settings import WeightSetterSettings


def main() -> int:
    """Run until SIGTERM; 0, or 2 where it could not start."""
    try:
        serve(WeightSetterSettings())
    except QuasarError as fault:
        sys.stderr.write(f"the weight setter cannot start: {fault}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
