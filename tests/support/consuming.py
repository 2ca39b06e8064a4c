"""A consumer as a process: `python -m tests.support.consuming URL QUEUE`.

Prints a line when it is ready and one per event it is done with; `--sleep`
makes each take that long, after a line that says it began.
"""

from __future__ import annotations

import argparse
import threading
import time

from quasar_core.contracts.events import BenchmarkRequested, WorkerSeen
from quasar_core.messaging.consumer import Consumer
from quasar_core.messaging.topology import RECORDING


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 -- its parent reads it


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("queue")
    parser.add_argument("--sleep", type=float, default=0.0)
    parser.add_argument("--visibility", type=float, default=60.0)
    wanted = parser.parse_args()

    def handle(event):
        if wanted.sleep:
            say("began", event.event_id)
            time.sleep(wanted.sleep)
        say("done", event.event_id)

    event = WorkerSeen if wanted.queue == RECORDING else BenchmarkRequested
    consumer = Consumer(
        wanted.url,
        wanted.queue,
        {event: handle},
        visibility_seconds=wanted.visibility,
    )
    threading.Thread(
        target=lambda: consumer.ready.wait() and say("ready"), daemon=True
    ).start()
    say("starting")
    consumer.run()


if __name__ == "__main__":
    main()
