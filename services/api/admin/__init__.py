"""Administration: signed orders, each with a reason, each in the log."""
