"""Load: how much the API takes, and how fast it is on a full database."""
