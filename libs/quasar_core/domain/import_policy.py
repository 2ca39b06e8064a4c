"""The import policy: what the tables say about a path or a name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache

from quasar_core.domain.import_tables import (
    ALLOWED,
    LIBRARIES_CALL_IT,
    ORDINARY_WORDS,
    OWN_MEANING,
    PACKAGE,
    PACKAGES,
    PUBLIC_UNDERSCORES,
    REFUSED,
)
from quasar_core.domain.use_tables import ALLOWED_DUNDERS, DANGEROUS

_STANDARD = frozenset(sys.stdlib_module_names)
_LEAKS = _STANDARD - ALLOWED
_ROOTS = frozenset(path.partition(".")[0] for path in ALLOWED)


def is_dunder(name: str) -> bool:
    """Whether Python itself gives the name a meaning."""
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def attribute_rule(name: str) -> str | None:
    """The rule that an attribute of anything breaks by its name alone."""
    if is_dunder(name) and name not in ALLOWED_DUNDERS:
        return "dunder"
    return "dangerous_attribute" if name in DANGEROUS else None


@lru_cache(maxsize=4_096)
def path_rule(path: str) -> str | None:
    """The rule that a dotted path from a module breaks, if any.

    What a library has imported for itself (`torch.os`,
    `fla.ops.utils.index.torch`) is judged as that module again.
    """
    if _within(path, PACKAGE):
        return None
    for suffix in _rooted(path):
        if not _permitted(suffix):
            return "not_allowed"
        rule = _leak(suffix)
        if rule is not None:
            return rule
    return None


def import_rule(path: str) -> str | None:
    """The rule that importing a module, or a name from one, breaks."""
    if _within(path, PACKAGE):
        # `from .chunk import __builtins__` needs no attribute.
        below = path.removeprefix(PACKAGE).split(".")
        hidden = any(is_dunder(name) for name in below)
        return "dunder" if hidden else None
    return None if path in PACKAGES else path_rule(path)


def _within(path: str, module: str) -> bool:
    return path == module or path.startswith(module + ".")


def _rooted(path: str) -> Iterator[str]:
    """`path`, and its ends that begin with another allowed module."""
    parts = path.split(".")
    yield path
    for start in range(1, len(parts)):
        suffix = ".".join(parts[start:])
        known = LIBRARIES_CALL_IT.get(parts[start])
        if parts[start] in _ROOTS and not _own_meaning(path, suffix):
            yield suffix
        elif known is not None:
            yield ".".join((known, *parts[start + 1 :]))


def _own_meaning(path: str, suffix: str) -> bool:
    start = path[: len(path) - len(suffix)] + suffix.partition(".")[0]
    return start in OWN_MEANING


def _permitted(path: str) -> bool:
    """Whether the longest entry that begins `path` allows it."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        start = ".".join(parts[:end])
        if start in ALLOWED:
            return True
        if start in REFUSED:
            return False
    return False


def _leak(path: str) -> str | None:
    """The rule that a component below the module breaks, if any."""
    parts = path.split(".")
    in_operators = path.startswith("torch.ops.")
    for end, part in enumerate(parts[1:], start=2):
        if attribute_rule(part) is not None:
            return attribute_rule(part)
        if _is_private(part):
            return "private_name"
        start = ".".join(parts[:end])
        if in_operators or start in OWN_MEANING:
            continue
        if part in _LEAKS and (
            parts[0] in _STANDARD or part not in ORDINARY_WORDS
        ):
            return "standard_module"
    return None


def _is_private(name: str) -> bool:
    return (
        name.startswith("_")
        and not is_dunder(name)
        and name not in PUBLIC_UNDERSCORES
        and not name.startswith("_foreach_")
    )
