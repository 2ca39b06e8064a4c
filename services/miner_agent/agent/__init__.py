"""The agent: proposes, judges, keeps what is better, hands it in."""
