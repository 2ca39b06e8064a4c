"""Who is asking: signatures, nonces and registration."""
