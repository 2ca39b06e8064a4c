"""The kinds of panel that our dashboards are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as StatPanel
from grafana_foundation_sdk.builders.timeseries import Panel as CurvePanel
from grafana_foundation_sdk.models.dashboard import DataSourceRef

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="quasar-prometheus")
"""As provisioning/datasources names it."""

WIDTH = 24

RECORDER = 'process="recorder"'
"""Workers count what they send, the recorder what it wrote down."""


@dataclass(frozen=True)
class Curve:
    """Lines over time: a query each, by the name in its legend."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    description: str = ""


@dataclass(frozen=True)
class Figure:
    """One number, as it is now."""

    title: str
    query: str
    unit: str = "short"
    description: str = ""

    @property
    def queries(self) -> Mapping[str, str]:
        """The one query, as a panel of several has them."""
        return {"": self.query}


@dataclass(frozen=True)
class Section:
    """A row of panels under a heading."""

    title: str
    panels: Sequence[Curve | Figure]


@dataclass(frozen=True)
class Board:
    """A dashboard: sections from top to bottom."""

    uid: str
    title: str
    sections: Sequence[Section] = field(default_factory=tuple)

    @property
    def expressions(self) -> tuple[str, ...]:
        """Every query of every panel."""
        return tuple(
            query
            for section in self.sections
            for panel in section.panels
            for query in panel.queries.values()
        )

    def build(self) -> object:
        """The dashboard as Grafana's own model, ready to be encoded."""
        builder = (
            Dashboard(self.title)
            .uid(self.uid)
            .tags(["quasar"])
            .refresh("30s")
            .time("now-6h", "now")
            .readonly()
        )
        for section in self.sections:
            builder = builder.with_row(Row(section.title))
            span = WIDTH // len(section.panels)
            for panel in section.panels:
                builder = builder.with_panel(_panel(panel, span))
        return builder.build()


def or_zero(expression: str) -> str:
    """A sum that is 0, and not missing, before its first event."""
    return f"{expression} or vector(0)"


def _panel(panel: Curve | Figure, span: int) -> CurvePanel | StatPanel:
    drawn = StatPanel() if isinstance(panel, Figure) else CurvePanel()
    drawn = (
        drawn.title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .datasource(PROMETHEUS)
        .span(span)
        .height(4 if isinstance(panel, Figure) else 8)
    )
    for number, (legend, query) in enumerate(panel.queries.items()):
        target = Dataquery().expr(query).legend_format(legend or "__auto")
        drawn = drawn.with_target(target.ref_id(chr(ord("A") + number)))
    return drawn
