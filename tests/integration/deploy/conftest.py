"""Fixtures of the tests that meet what a whole deployment is made of."""

from tests.support.api_processes import platform
from tests.support.postgres import (
    database_url,
    sqlite_template,
    sqlite_url,
)
from tests.support.valkey import own_valkey, redis_url, valkey_server

__all__ = [
    "database_url",
    "own_valkey",
    "platform",
    "redis_url",
    "sqlite_template",
    "sqlite_url",
    "valkey_server",
]
