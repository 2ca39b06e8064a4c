"""A post that only remembers."""

from __future__ import annotations

from quasar_core.contracts.events import Event


class FakePost:
    """What was told and what was delivered, in one order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.delivered: list[Event] = []

    def tell(self, event: Event) -> None:
        self.events.append(event)

    def deliver(self, event: Event) -> None:
        self.events.append(event)
        self.delivered.append(event)

    def flush(self) -> bool:
        return True

    def names(self) -> list[str]:
        """The events' names, in order."""
        return [event.event_name for event in self.events]
