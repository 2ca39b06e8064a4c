"""The competition: how fast it got, and what became of submissions."""

from __future__ import annotations

from deploy.dashboards.panels import RECORDER, Board, Curve, Figure, Section

COMPETITION = Board(
    "quasar-competition",
    "QUASAR: the competition",
    (
        Section(
            "The round",
            (
                Figure("Open round", "max(quasar_round_number)"),
                Figure("Blocks left", "max(quasar_round_blocks_left)"),
                Figure(
                    "Scored",
                    'max(quasar_submissions{status="scored"})',
                    description="Submissions of the open round with a score.",
                ),
                Figure(
                    "Rejected", 'max(quasar_submissions{status="rejected"})'
                ),
            ),
        ),
        Section(
            "How fast it got",
            (
                Curve(
                    "Best tokens/s by league",
                    {
                        "{{league}}": (
                            "max by (league) (quasar_best_tokens_per_sec)"
                        )
                    },
                    description="The open round's fastest scored entry.",
                ),
            ),
        ),
        Section(
            "What became of submissions",
            (
                Curve(
                    "By status",
                    {"{{status}}": "max by (status) (quasar_submissions)"},
                ),
                Curve(
                    "Verdicts per hour",
                    {
                        "{{code}}": (
                            "sum by (code) (increase(quasar_verdicts_total"
                            f"{{{RECORDER}}}[1h]))"
                        )
                    },
                ),
            ),
        ),
    ),
)
