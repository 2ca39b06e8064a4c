"""What validators report about the weights that they set."""
