"""Dashboards as code: what Grafana shows, and the queries behind it."""
