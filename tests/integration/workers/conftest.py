"""The real server, for these tests."""

from tests.support.valkey import own_valkey, redis_url, valkey_server

__all__ = ["own_valkey", "redis_url", "valkey_server"]
