from quasar_core.execution.sandbox import Isolation
from quasar_core.judge.harness import harness_digest
from quasar_core.judge.manifest import environment, make_manifest
from quasar_core.judge.seeds import Seeds
from quasar_core.judge.settings import JudgeSettings

from tests.support.kernel_sources import HONEST, submission

SOURCE = submission(HONEST)


def test_a_manifest_says_how_to_run_the_same_thing_again():
    seeds = Seeds(bytes(range(32)), "run-7")
    manifest = make_manifest(
        seeds,
        JudgeSettings(num_threads=3),
        Isolation("bubblewrap", {"no_network": True}, degraded=False),
        SOURCE,
        {"peak_memory_bytes": "12"},
    )
    assert manifest.run_id == "run-7"
    assert manifest.seed == bytes(range(32)).hex()
    assert manifest.seed_commitment == seeds.commitment
    assert manifest.harness_digest == harness_digest()
    assert manifest.isolation == {"no_network": True}
    found = manifest.environment
    assert found["tree_hash"] == SOURCE.tree_hash
    assert (found["num_threads"], found["degraded"]) == ("3", "false")
    assert found["peak_memory_bytes"] == "12"


def test_the_environment_names_versions_and_what_is_absent(monkeypatch):
    from quasar_core.judge import manifest

    assert environment()["torch"].startswith("2.")
    monkeypatch.setattr(manifest, "DISTRIBUTIONS", ("no-such-thing",))
    assert environment.__wrapped__()["no-such-thing"] == "absent"
