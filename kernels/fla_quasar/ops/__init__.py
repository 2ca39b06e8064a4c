"""The operators, one folder per family, as in a fork of fla."""
