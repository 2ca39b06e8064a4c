"""Attempts: jobs on their way, their leases, and what became of them."""
