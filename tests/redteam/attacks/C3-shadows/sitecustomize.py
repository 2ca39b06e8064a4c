"""A module that must never be imported."""

raise RuntimeError("shadowed")
