"""The fleet's panels of GPUs, over a page of a worker that has one."""

import json

from prometheus_client import CollectorRegistry, start_http_server
from quasar_core.judge.nvml import Nvml
from quasar_core.telemetry import metrics
from quasar_core.worker.gpu import watch_gpu

from deploy.dashboards.boards import BOARDS
from deploy.local.environment import HOST, free_port
from tests.support.prometheus import needs_prometheus, prometheus
from tests.support.standin_gpu import FakeNvml
from tests.support.waiting import eventually

pytestmark = needs_prometheus

WAIT_SECONDS = 30


def a_worker_with_a_gpu(port):
    """Serve the page of a worker whose GPU is a stand-in."""
    watch_gpu("gpu-1", lambda: Nvml(FakeNvml()))
    page = CollectorRegistry()
    for name, metric in vars(metrics).items():
        if name.startswith("GPU_"):
            page.register(metric)
    return start_http_server(port, HOST, page)


def test_every_panel_of_a_gpu_shows_data(tmp_path):
    queries = {
        query
        for board in BOARDS
        for query in board.expressions
        if "quasar_gpu_" in query
    }
    assert queries
    port = free_port()
    targets = tmp_path / "targets"
    targets.mkdir()
    (targets / "worker.json").write_text(
        json.dumps([{"targets": [f"{HOST}:{port}"]}])
    )
    server, thread = a_worker_with_a_gpu(port)
    try:
        with prometheus(tmp_path / "prometheus", targets) as asked:
            for query in queries:
                eventually(
                    lambda query=query: asked.query(query),
                    query,
                    WAIT_SECONDS,
                )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
