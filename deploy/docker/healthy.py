"""Whether a process of this container answers: `healthy.py PORT PATH`."""

from __future__ import annotations

import http.client
import sys

PATIENCE_SECONDS = 5.0


def answers(port: int, path: str) -> bool:
    """Whether 200 comes back from this machine's `port`."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=PATIENCE_SECONDS
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(int(sys.argv[1]), sys.argv[2]) else 1)
