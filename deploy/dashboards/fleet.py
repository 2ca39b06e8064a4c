"""The fleet: queues, workers, GPUs, stages, and the judge's constants."""

from __future__ import annotations

from deploy.dashboards.panels import RECORDER, Board, Curve, Section

FLEET = Board(
    "quasar-fleet",
    "QUASAR: the fleet",
    (
        Section(
            "Queues",
            (
                Curve(
                    "Waiting",
                    {
                        "{{queue}}.{{pool}}": (
                            "max by (queue, pool) (quasar_queue_depth)"
                        )
                    },
                ),
                Curve(
                    "Age of the oldest",
                    {
                        "{{queue}}.{{pool}}": (
                            "max by (queue, pool)"
                            " (quasar_queue_oldest_seconds)"
                        )
                    },
                    unit="s",
                ),
                Curve(
                    "Age of what is shown here",
                    {
                        "scheduler": (
                            "time() - max("
                            "quasar_gauges_refreshed_timestamp_seconds)"
                        )
                    },
                    unit="s",
                    description="The scheduler reads it from the database.",
                ),
                Curve(
                    "Workers",
                    {
                        "{{role}} on {{pool}}": (
                            "max by (role, pool) (quasar_workers_seen)"
                        )
                    },
                ),
            ),
        ),
        Section(
            "Attempts",
            (
                Curve(
                    "Ended per hour",
                    {
                        "{{queue}} {{outcome}}": (
                            "sum by (queue, outcome)"
                            " (increase(quasar_attempts_total[1h]))"
                        )
                    },
                ),
                Curve(
                    "Lost to silence per hour",
                    {
                        "leases": (
                            "sum(increase(quasar_lease_expiries_total[1h]))"
                        )
                    },
                ),
                Curve(
                    "Results on disk",
                    {
                        "{{process}}": (
                            "max by (process) (quasar_spooled_events)"
                        )
                    },
                ),
            ),
        ),
        Section(
            "Disks",
            (
                Curve(
                    "Free",
                    {
                        "{{process}} {{place}}": (
                            "min by (process, place)"
                            " (quasar_disk_free_bytes)"
                        )
                    },
                    unit="bytes",
                    description="Where each process keeps what it writes.",
                ),
                Curve(
                    "Free, of all",
                    {
                        "{{process}} {{place}}": (
                            "min by (process, place) (quasar_disk_free_bytes"
                            " / quasar_disk_size_bytes)"
                        )
                    },
                    unit="percentunit",
                    description="Below a tenth wakes somebody.",
                ),
            ),
        ),
        Section(
            "GPUs",
            (
                Curve(
                    "Memory taken",
                    {
                        "{{worker}}": (
                            "max by (worker) (quasar_gpu_memory_used_bytes)"
                        ),
                        "{{worker}}, all": (
                            "max by (worker) (quasar_gpu_memory_size_bytes)"
                        ),
                    },
                    unit="bytes",
                ),
                Curve(
                    "Clocks",
                    {
                        "{{worker}}": (
                            "max by (worker) (quasar_gpu_sm_clock_hertz)"
                        ),
                        "{{worker}}, memory": (
                            "max by (worker) (quasar_gpu_memory_clock_hertz)"
                        ),
                    },
                    unit="hertz",
                    description="Of the multiprocessors, and of memory.",
                ),
                Curve(
                    "Temperature",
                    {
                        "{{worker}}": (
                            "max by (worker) (quasar_gpu_temperature_celsius)"
                        )
                    },
                    unit="celsius",
                ),
                Curve(
                    "Held down",
                    {
                        "{{worker}} {{reason}}": (
                            "max by (worker, reason) (quasar_gpu_throttled)"
                        )
                    },
                    description="1 where this holds the clocks down;"
                    " sw_power_cap is usual under load.",
                ),
            ),
        ),
        Section(
            "Judging",
            (
                Curve(
                    "Stages, median",
                    {"{{stage}}": "quasar:stage_seconds:p50"},
                    unit="s",
                ),
                Curve(
                    "Stages, 95th percentile",
                    {"{{stage}}": "quasar:stage_seconds:p95"},
                    unit="s",
                ),
                Curve(
                    "Cost of an empty exchange",
                    {
                        "{{worker}}": (
                            "max by (worker) (quasar_judge_overhead_seconds)"
                        )
                    },
                    unit="s",
                ),
                Curve(
                    "The trusted kernel",
                    {
                        "{{worker}}": (
                            "max by (worker) (quasar_baseline_seconds)"
                        )
                    },
                    unit="s",
                    description="Its pace at the start of the round.",
                ),
            ),
        ),
        Section(
            "Canaries: known code, judged by every worker",
            (
                Curve(
                    "Judged within a day",
                    {
                        "{{canary}} {{outcome}}": (
                            "max by (canary, outcome) (quasar_canary_runs)"
                        )
                    },
                    description="Cheats are right where they were caught.",
                ),
                Curve(
                    "Workers without canaries",
                    {"{{role}}": "max by (role) (quasar_canaries_overdue)"},
                    description="Up, and none for twice their period.",
                ),
            ),
        ),
        Section(
            "Logits, at the worst position of the last verification",
            (
                Curve(
                    "Cosine similarity",
                    {
                        "worst": (
                            f"min(quasar_worst_cosine_sim{{{RECORDER}}})"
                        ),
                        "bound": "vector(0.99)",
                    },
                ),
                Curve(
                    "Largest difference",
                    {
                        "worst": f"max(quasar_worst_max_diff{{{RECORDER}}})",
                        "bound": "vector(0.1)",
                    },
                ),
            ),
        ),
    ),
)
