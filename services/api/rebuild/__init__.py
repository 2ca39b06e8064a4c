"""Rebuilding: boards, standings and weights from the event log alone."""
