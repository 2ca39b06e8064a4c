"""The command on a machine without a device."""

import os
import subprocess
import sys

import pytest
import torch


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device")
def test_without_a_device_it_says_so_and_succeeds(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fla_quasar.bench", "--out", tmp_path],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.startswith("There is no CUDA device here")
    assert list(tmp_path.iterdir()) == []
