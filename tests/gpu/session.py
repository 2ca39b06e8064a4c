"""`python -m tests.gpu.session`: the most from a short time on a device.

First the tests on the device, until they have passed once; then the rows of
the benchmark, the most valuable first. Whatever was measured is kept in
`--out`, so calling again goes on where the last call stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import torch

# The share of a call that tests may take; the rest is the benchmark's.
TESTS_SHARE = 0.6
TESTS = (
    "tests/gpu",
    "tests/unit/fla_quasar/ops/quasar/test_on_gpu.py",
)
PASSED = "gpu-tests-passed.txt"


def main() -> int:
    """The tests' exit status if they failed, else the benchmark's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--only", nargs="+", default=())
    parser.add_argument("--skip-tests", action="store_true")
    wanted = parser.parse_args()
    if not torch.cuda.is_available():
        sys.stdout.write("There is no CUDA device here: nothing was run.\n")
        return 0
    until = time.monotonic() + wanted.minutes * 60
    wanted.out.mkdir(parents=True, exist_ok=True)
    status = 0
    if not wanted.skip_tests and not (wanted.out / PASSED).exists():
        status = run_tests(wanted.out, wanted.minutes * 60 * TESTS_SHARE)
    left = (until - time.monotonic()) / 60
    only = ("--only", *wanted.only) if wanted.only else ()
    measured = subprocess.run(
        [
            *(sys.executable, "-m", "fla_quasar.bench"),
            *("--minutes", f"{left:.2f}", "--out", str(wanted.out), *only),
        ],
        check=False,
    )
    return status or measured.returncode


def run_tests(out: Path, seconds: float) -> int:
    """Run the tests; their report and speeds go to `out`."""
    command = (
        *(sys.executable, "-m", "pytest", "-q", "-m", "gpu"),
        *("-o", "filterwarnings=default", "--durations=10"),
        f"--junitxml={out / 'gpu-tests.xml'}",
        *TESTS,
    )
    try:
        done = subprocess.run(command, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        sys.stdout.write(f"the tests took more than {seconds:.0f} s\n")
        return 124
    if done.returncode == 0:
        (out / PASSED).write_text(f"{torch.cuda.get_device_name()}\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
