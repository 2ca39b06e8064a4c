"""Where dashboards lie, and how they are written down."""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards.panels import Board

FOLDER = Path(__file__).parents[1] / "grafana" / "dashboards"
"""Provisioned by `deploy/grafana/provisioning/dashboards`."""


def encoded(board: Board) -> str:
    """A dashboard as the JSON that Grafana loads; the same each time."""
    return JSONEncoder(sort_keys=True, indent=1).encode(board.build()) + "\n"
