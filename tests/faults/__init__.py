"""Faults of the platform, as real processes meet them: `make faults`."""
