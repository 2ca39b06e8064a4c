"""The configuration reference, generated from the settings classes."""
