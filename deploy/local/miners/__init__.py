"""The demo's miners: who they are, and the forks that they race."""
