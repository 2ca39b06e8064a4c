"""Challenges: passages that are run once more before they count."""
