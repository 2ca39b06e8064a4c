"""The parts of a layer that are not its core."""
