"""The real server, and an API to hear workers, for these tests."""

from tests.support.api import sqlite_world
from tests.support.postgres import sqlite_template, sqlite_url
from tests.support.valkey import own_valkey, redis_url, valkey_server

__all__ = [
    "own_valkey",
    "redis_url",
    "sqlite_template",
    "sqlite_url",
    "sqlite_world",
    "valkey_server",
]
