"""Commitments: submissions that are sealed in a hash until their block."""
