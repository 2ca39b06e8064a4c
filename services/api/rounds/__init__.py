"""Rounds: what they are judged by, and what they look like."""
