"""Fixtures of the contract tests."""

from tests.support.api import sqlite_world
from tests.support.postgres import sqlite_template, sqlite_url

__all__ = ["sqlite_template", "sqlite_url", "sqlite_world"]
