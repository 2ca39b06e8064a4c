"""Pools of real workers whose judging is replaced by waiting."""
