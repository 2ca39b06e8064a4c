"""The manifest of a run: all that is needed to run it again."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from quasar_core.contracts.reports import Manifest, Source
from quasar_core.execution.sandbox import Isolation
from quasar_core.judge.harness import harness_digest
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings

DISTRIBUTIONS = ("torch", "triton", "numpy", "einops", "fla-core")


@cache
def environment() -> Mapping[str, str]:
    """What this machine is and which versions it runs."""
    facts = {
        "cpu": _cpu_model(),
        "cpus": str(os.cpu_count()),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    for name in DISTRIBUTIONS:
        try:
            facts[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            facts[name] = "absent"
    return facts


def make_manifest(
    seeds: Seeds,
    settings: JudgeSettings,
    isolation: Isolation,
    source: Source,
    facts: Mapping[str, str] | None = None,
) -> Manifest:
    """The manifest, with `facts` of this run beside the environment's."""
    return Manifest(
        run_id=seeds.run_id,
        harness_digest=harness_digest(),
        profile=settings.profile.value,
        seed_commitment=seeds.commitment,
        seed=seeds.master.hex(),
        sandbox=isolation.backend,
        isolation=dict(isolation.proved),
        settings=settings.published(),
        environment={
            **environment(),
            "num_threads": str(settings.num_threads),
            "degraded": str(isolation.degraded).lower(),
            "tree_hash": source.tree_hash,
            **(facts or {}),
        },
    )


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"
