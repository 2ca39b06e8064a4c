"""`python -m tests.gpu.judge_session`: the judge on a card, in a few minutes.

Steps come in order of worth; each is a process of its own with a deadline, so
that one that hangs costs itself alone. What a step found is appended to
`judge-gpu.jsonl` in `--out`; calling again goes on with the next one, and the
table in `judge-gpu.md` is written anew each time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from quasar_core.execution.backends import choose_sandbox
from quasar_core.judge.grounds import ground_of
from quasar_core.judge.settings import JudgeSettings

from tests.gpu import judge_steps as steps
from tests.gpu.challenge_steps import RESTLESS, challenges
from tests.gpu.judge_steps import Bench, Row
from tests.gpu.logit_steps import logits

LENGTHS = (100_032, 1_000_000, 16_384, 300_032)
JUDGINGS = 10
STEP_SECONDS = 240.0
TOLD_CHARACTERS = 6_000
RECORD, TABLE = "judge-gpu.jsonl", "judge-gpu.md"

Step = Callable[[Bench], Iterator[Row]]


def all_steps() -> Mapping[str, Step]:
    """By name, the most telling first."""
    found: dict[str, Step] = {}
    for tokens in LENGTHS[:1]:
        found[f"windows {tokens}"] = partial(steps.windows, tokens=tokens)
        found[f"k {tokens}"] = partial(steps.exchange_cost, tokens=tokens)
    found["mutants 8256"] = partial(steps.mutants, tokens=8_256)
    found["attacks"] = steps.attacks
    found["restless"] = partial(steps.attacks, only=RESTLESS)
    found["challenges"] = challenges
    for tokens in LENGTHS[:2]:
        found[f"overhead {tokens}"] = partial(steps.overhead, tokens=tokens)
    found["whole 1"] = partial(steps.whole, tokens=LENGTHS[0])
    for number in range(2, JUDGINGS + 1):
        found[f"whole {number}"] = partial(steps.whole, tokens=LENGTHS[0])
    found["longest whole"] = partial(steps.whole, tokens=LENGTHS[1])
    found["logits"] = logits
    found["replay"] = partial(steps.replayed, tokens=LENGTHS[0])
    for tokens in LENGTHS[2:]:
        found[f"overhead {tokens}"] = partial(steps.overhead, tokens=tokens)
    for tokens in LENGTHS[1:]:
        found[f"windows {tokens}"] = partial(steps.windows, tokens=tokens)
        found[f"k {tokens}"] = partial(steps.exchange_cost, tokens=tokens)
    found["mutants 65600"] = partial(steps.mutants, tokens=65_600)
    return found


def main() -> int:
    """0 where there is no card, or where every step that ran has rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--only", nargs="+", default=())
    parser.add_argument("--step")
    parser.add_argument("--allow-degraded", action="store_true")
    wanted = parser.parse_args()
    if not torch.cuda.is_available():
        sys.stdout.write("There is no CUDA device here: nothing was run.\n")
        return 0
    if wanted.step:
        run_here(wanted.step, wanted.out, degraded=wanted.allow_degraded)
        return 0
    wanted.out.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wanted.minutes * 60
    more = ("--allow-degraded",) if wanted.allow_degraded else ()
    failed = session(wanted.out, until, tuple(wanted.only), more)
    sys.stdout.write((wanted.out / TABLE).read_text())
    return failed


def session(
    out: Path, until: float, only: tuple[str, ...], more: tuple[str, ...]
) -> int:
    """Run what has not been run, until the time is over; how many failed."""
    failed = 0
    for name in all_steps():
        chosen = not only or any(name.startswith(each) for each in only)
        left = min(STEP_SECONDS, until - time.monotonic())
        if not chosen or name in done(out) or left < 10:
            continue
        command = (sys.executable, "-m", "tests.gpu.judge_session")
        given = ("--step", name, "--out", str(out), *more)
        try:
            ended = subprocess.run(
                [*command, *given],
                capture_output=True,
                text=True,
                timeout=left,
                check=False,
            )
            trouble = (
                ended.stderr[-TOLD_CHARACTERS:] if ended.returncode else ""
            )
        except subprocess.TimeoutExpired:
            trouble = f"it took more than {left:.0f} s"
        if trouble:
            failed += 1
            sys.stdout.write(f"--- {name} failed ---\n{trouble}\n")
        sys.stdout.flush()
        write_table(out)
    write_table(out)
    return failed


def run_here(name: str, out: Path, *, degraded: bool) -> None:
    """One step in this process; its rows are kept as they come."""
    settings = JudgeSettings.model_validate({"profile": "gpu"})
    ground = ground_of(settings)
    ground.prepare(settings)
    with tempfile.TemporaryDirectory(prefix="quasar-session-") as folder:
        Path(folder).chmod(0o755)
        sandbox = choose_sandbox("bubblewrap", allow_degraded=degraded)
        bench = Bench(ground, sandbox, settings, Path(folder))
        keep(name, all_steps()[name](bench), out)


def keep(name: str, rows: Iterator[Row], out: Path) -> None:
    """Append rows, and at the end that the step is done."""
    with (out / RECORD).open("a", encoding="utf-8") as record:
        for row in rows:
            record.write(json.dumps({"step": name, **row}) + "\n")
            record.flush()
        record.write(json.dumps({"step": name, "done": True}) + "\n")


def done(out: Path) -> set[str]:
    """The steps that have come to their end."""
    return {str(row["step"]) for row in kept(out) if row.get("done")}


def kept(out: Path) -> list[dict[str, Any]]:
    """All rows so far."""
    path = out / RECORD
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def write_table(out: Path) -> None:
    """Every row that says something, as a table."""
    lines = ["# The judge on a card", ""]
    lines += ["| step | found |", "| --- | --- |"]
    for row in kept(out):
        facts = {
            name: value
            for name, value in row.items()
            if name not in {"step", "done", "environment"}
        }
        if facts:
            told = ", ".join(f"{k} {_told(v)}" for k, v in facts.items())
            lines.append(f"| {row['step']} | {told} |")
    (out / TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _told(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
