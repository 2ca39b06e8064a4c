"""Proposers: where the agent's changes to a kernel come from."""
