"""Logs: one event with fields per line, on stderr, never a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.typing import Processor

SECRET_FIELDS = frozenset(
    {
        "authorization",
        "fencing_token",
        "master_seed",
        "password",
        "salt",
        "seed",
        "signature",
        "token",
    }
)
QUIET_LIBRARIES = ("alembic", "celery", "httpx2", "kombu", "sqlalchemy")
"""They tell at level info what our own events already say."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

EventDict = MutableMapping[str, Any]


def hide_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace the values of fields whose name says that they are secret."""
    for name in SECRET_FIELDS & event.keys():
        event[name] = "(hidden)"
    return event


def escape_controls(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Spell out control characters: a terminal obeys those of strangers.

    For the coloured form alone; JSON escapes them anyhow.
    """
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _CONTROL.sub(
                lambda found: f"\\x{ord(found[0]):02x}", value
            )
    return event


def _shared(service: str) -> list[Processor]:
    def name_service(
        _logger: Any, _method: str, event: EventDict
    ) -> EventDict:
        event.setdefault("service", service)
        return event

    return [
        merge_contextvars,
        name_service,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]


def _rendering(json: bool) -> list[Processor]:
    if json:
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ]
    colors = sys.stderr.isatty()
    return [escape_controls, structlog.dev.ConsoleRenderer(colors=colors)]


def configure_logging(
    service: str, level: str = "INFO", *, json: bool = True
) -> None:
    """Send all logs of this process, libraries' too, to stderr.

    `level` is a name of `logging`; with `json` each line is one object,
    else it is for human eyes. Called once, by a process's entry point.
    """
    shared = _shared(service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for library in QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(
            max(logging.WARNING, root.getEffectiveLevel())
        )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events carry `name`: `log.info("x.done", field=1)`."""
    return structlog.stdlib.get_logger(name)


def log_context(**fields: object) -> AbstractContextManager[Any]:
    """Bind fields to every log line made inside the `with` block.

    For what a line should be found by: submission_id, attempt_id,
    request_id.
    """
    return bound_contextvars(**{name: str(fields[name]) for name in fields})
