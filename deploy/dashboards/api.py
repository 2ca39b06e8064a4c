"""The API: requests, the outbox, and the messages between processes."""

from __future__ import annotations

from deploy.dashboards.panels import Board, Curve, Section, or_zero

API = Board(
    "quasar-api",
    "QUASAR: the API",
    (
        Section(
            "Requests",
            (
                Curve(
                    "Per second",
                    {"{{route}} {{status}}": "quasar:requests:rate5m"},
                    unit="reqps",
                ),
                Curve(
                    "95th percentile",
                    {"{{route}}": "quasar:request_seconds:p95"},
                    unit="s",
                ),
                Curve(
                    "Refused per hour",
                    {
                        "{{code}}": (
                            "sum by (code)"
                            " (increase(quasar_refusals_total[1h]))"
                        )
                    },
                ),
            ),
        ),
        Section(
            "Outbox",
            (
                Curve("Unpublished", {"jobs": "max(quasar_outbox_waiting)"}),
                Curve(
                    "Age of the oldest",
                    {"lag": "max(quasar_outbox_lag_seconds)"},
                    unit="s",
                ),
            ),
        ),
        Section(
            "Messages",
            (
                Curve(
                    "Published per second",
                    {
                        "{{event}}": (
                            "sum by (event)"
                            " (rate(quasar_messages_published_total[5m]))"
                        )
                    },
                ),
                Curve(
                    "Not taken by the broker, per hour",
                    {
                        "failures": or_zero(
                            "sum(increase(quasar_publish_failures_total"
                            "[1h]))"
                        )
                    },
                ),
                Curve(
                    "Set aside per hour",
                    {
                        "messages": (
                            "sum(increase(quasar_messages_set_aside_total"
                            "[1h]))"
                        )
                    },
                ),
                Curve(
                    "Crashes per hour",
                    {"crashes": ("sum(increase(quasar_crashes_total[1h]))")},
                ),
            ),
        ),
    ),
)
