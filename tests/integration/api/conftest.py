"""Fixtures of the API's integration tests."""

from tests.support.api import sqlite_world, world
from tests.support.api_processes import platform
from tests.support.postgres import (
    database_url,
    empty_database_url,
    postgres_database_url,
    postgres_template,
    postgres_url,
    sqlite_template,
    sqlite_url,
)
from tests.support.valkey import own_valkey, redis_url, valkey_server

__all__ = [
    "database_url",
    "empty_database_url",
    "own_valkey",
    "platform",
    "postgres_database_url",
    "postgres_template",
    "postgres_url",
    "redis_url",
    "sqlite_template",
    "sqlite_url",
    "sqlite_world",
    "valkey_server",
    "world",
]
