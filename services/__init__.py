"""The five services, and the command line that joins them."""
