"""Which series our processes show, and which a query asks for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.metrics import MetricWrapperBase
from quasar_core.telemetry import metrics

RULES = Path(__file__).resolve().parents[2] / "deploy/prometheus/rules"
OF_PROMETHEUS = frozenset({"job", "instance", "process", "le"})
"""Labels that a target has, or a histogram's buckets."""

OF_NODE = 'job="node"'
"""What a node exporter shows, as `tests/integration/deploy` proves."""

SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}
SELECTOR = re.compile(r"\b(quasar[_:][\w:]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')


def rules(kind: str) -> dict[str, dict[str, Any]]:
    """Our alerts (`alert`) or recording rules (`record`), by name."""
    return {
        rule[kind]: rule
        for path in RULES.glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if kind in rule
    }


def shown() -> dict[str, frozenset[str]]:
    """Every series that a process of ours can show, with its labels."""
    return {
        f"{metric._name}{suffix}": OF_PROMETHEUS.union(metric._labelnames)
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
        for suffix in SUFFIXES[metric._type]
    }


def unknown(expression: str) -> list[str]:
    """What a query asks for and nobody shows: series, or their labels."""
    known, recorded = shown(), rules("record")
    missing = []
    for name, matchers in SELECTOR.findall(expression):
        if name in recorded:
            continue
        if name not in known:
            missing.append(name)
            continue
        missing += [
            f"{name}{{{label}}}"
            for label in MATCHER.findall(matchers)
            if label not in known[name]
        ]
    return missing


def asks(expression: str) -> bool:
    """Whether a query asks for series of ours, `up`, or a node exporter's."""
    return bool(
        SELECTOR.search(expression)
        or re.search(r"\bup\b", expression)
        or OF_NODE in expression
    )
