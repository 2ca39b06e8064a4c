"""The chain: when weights were set, and how rounds stand."""

from __future__ import annotations

from deploy.dashboards.panels import Board, Curve, Figure, Section, or_zero

CHAIN = Board(
    "quasar-chain",
    "QUASAR: the chain",
    (
        Section(
            "Weights",
            (
                Figure(
                    "Last set",
                    'max(quasar_weights_set_at_seconds{process="'
                    'weight-setter"}) * 1000',
                    unit="dateTimeFromNow",
                ),
                Curve(
                    "Attempts per hour",
                    {
                        "{{outcome}}": or_zero(
                            "sum by (outcome) (increase("
                            "quasar_weight_settings_total{process="
                            '"weight-setter"}[1h]))'
                        )
                    },
                ),
            ),
        ),
        Section(
            "Rounds",
            (
                Curve(
                    "By status",
                    {"{{status}}": "max by (status) (quasar_rounds)"},
                ),
            ),
        ),
    ),
)
