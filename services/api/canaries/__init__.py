"""Canaries: what came of known submissions on every worker."""
