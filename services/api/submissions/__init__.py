"""Submissions: from the door through attempts to a verdict."""
