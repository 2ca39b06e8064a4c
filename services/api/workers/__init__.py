"""Workers as the platform knows them: seen, and their baselines."""
