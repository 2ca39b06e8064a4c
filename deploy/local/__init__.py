"""The whole platform on one machine, without root: embedded and real."""
