"""Boards, statistics and standings: live, and frozen at a round's end."""
