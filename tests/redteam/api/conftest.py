"""Fixtures of the attacks on the API: SQLite, and a real Valkey."""

from tests.support.postgres import sqlite_template, sqlite_url
from tests.support.valkey import redis_url, valkey_server

__all__ = ["redis_url", "sqlite_template", "sqlite_url", "valkey_server"]
