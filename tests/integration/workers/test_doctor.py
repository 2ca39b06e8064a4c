"""`quasar worker doctor` on this very machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.workers import worker_environment

QUASAR = Path(sys.executable).with_name("quasar")


def doctor(directory, url, *arguments, **changes):
    environment = os.environ | worker_environment(directory, url, **changes)
    done = subprocess.run(
        [QUASAR, "worker", "doctor", *arguments],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_fit_machine_is_told_so_in_both_forms(tmp_path, redis_url):
    code, text = doctor(tmp_path, redis_url)
    assert (code, text.splitlines()[-1]) == (0, "This machine can judge.")
    code, text = doctor(tmp_path, redis_url, "--json")
    answer = json.loads(text)
    assert (code, answer["fit"]) == (0, True)
    assert {check["name"] for check in answer["checks"]} >= {
        "python",
        "torch",
        "sandbox",
        "cgroups",
        "git",
        "driver",
        "disk",
        "redis",
        "key",
        "folders",
    }


def test_a_machine_without_what_it_needs_is_told_what_to_do(
    tmp_path, redis_url
):
    nowhere = tmp_path / "bin"
    nowhere.mkdir()
    code, text = doctor(tmp_path, redis_url, PATH=str(nowhere))
    assert code == 1
    words = " ".join(text.split())
    assert "apt-get install bubblewrap" in words
    assert "install git" in words
    assert "cannot judge yet" in words


def test_settings_that_are_none_are_told_and_not_thrown(tmp_path, redis_url):
    code, text = doctor(tmp_path, redis_url, "--json", QUASAR_JUDGE="{")
    (found,) = json.loads(text)["checks"]
    assert (code, found["name"], found["ok"]) == (1, "settings", False)
