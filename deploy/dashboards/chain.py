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
            "Calls",
            (
                Curve(
                    "Per minute",
                    {
                        "{{process}} {{call}} {{outcome}}": (
                            "sum by (process, call, outcome)"
                            " (rate(quasar_chain_calls_total[5m])) * 60"
                        )
                    },
                    description="Each call by how it ended.",
                ),
                Curve(
                    "Without an answer",
                    {
                        "{{process}}": or_zero(
                            "sum by (process) (rate("
                            "quasar_chain_calls_total{outcome=~"
                            '"unavailable|failed"}[5m])) / sum by (process)'
                            " (rate(quasar_chain_calls_total[5m]))"
                        )
                    },
                    unit="percentunit",
                    description="Of what each process asks; above half"
                    " wakes somebody.",
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
