"""Fixtures of the contract tests."""

from tests.support.postgres import sqlite_template

__all__ = ["sqlite_template"]
