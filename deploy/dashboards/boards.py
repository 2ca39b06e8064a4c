"""The dashboards that Grafana loads."""

from __future__ import annotations

from deploy.dashboards.api import API
from deploy.dashboards.chain import CHAIN
from deploy.dashboards.competition import COMPETITION
from deploy.dashboards.fleet import FLEET

BOARDS = (COMPETITION, FLEET, API, CHAIN)
