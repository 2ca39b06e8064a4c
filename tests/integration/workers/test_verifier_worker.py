"""The verifier worker's process, with the stand-in model and real kernels."""

# pylint: disable=redefined-outer-name

import pytest
from quasar_core.contracts.reports import Source, SourceFile
from quasar_core.domain.screening import identity, tree_hash
from quasar_core.errors import RejectionCode
from quasar_core.judge.pinned import baseline_source
from quasar_core.messaging.bus import Bus

from tests.support.events import verification_requested
from tests.support.workers import Recorder, start_worker

pytestmark = pytest.mark.slow

MODULE = "services.verifier_worker"
ZEROS = b"""
import torch


def chunk_quasar(q, k, v, beta, **kwargs):
    return torch.zeros_like(v), None
"""


def source_of(files):
    return Source(
        files=tuple(
            SourceFile(name=name, text=text.decode())
            for name, text in sorted(files.items())
        ),
        identity=identity(files),
        tree_hash=tree_hash(files),
    )


def test_a_right_kernel_s_logits_agree_and_a_wrong_one_s_do_not(
    tmp_path, redis_url
):
    bus = Bus(redis_url)
    right = verification_requested(source=baseline_source())
    wrong = verification_requested(
        source=source_of(
            {"__init__.py": b"from .chunk import *\n", "chunk.py": ZEROS}
        )
    )
    with (
        Recorder(redis_url) as recorder,
        start_worker(tmp_path, redis_url, MODULE) as worker,
    ):
        for job in (right, wrong):
            bus.publish(job, pool="cpu")
        agreed, differed = recorder.ending(right), recorder.ending(wrong)
        assert agreed.event_name == "verification.completed"
        assert agreed.logits.stand_in is True
        assert all(
            prompt.worst_cosine_sim >= right.cosine_sim_threshold
            and prompt.worst_max_diff <= right.max_diff_threshold
            for prompt in agreed.logits.prompts
        )
        assert differed.rejection.code is RejectionCode.LOGITS_DIFFER
        assert recorder.events[0].role == "verifier"
        assert worker.terminate() == 0
    assert "Traceback" not in worker.text
    bus.close()
