"""A node exporter tells of the volumes, with the options it has in compose."""

import os
import re
import shutil
import subprocess
import urllib.request

import pytest

from deploy.local.environment import HOST, free_port
from tests.support.deployment import compose
from tests.support.waiting import eventually

SERVICE = compose()["services"]["node-exporter"]
SERVER = shutil.which("prometheus-node-exporter")
NOBODY = "65534"

pytestmark = [
    pytest.mark.skipif(
        SERVER is None,
        reason=(
            "no node exporter is installed (apt-get install"
            " prometheus-node-exporter)"
        ),
    ),
    pytest.mark.skipif(
        os.geteuid() != 0, reason="only root can lock nobody out"
    ),
]


def page_at(address):
    try:
        with urllib.request.urlopen(f"http://{address}/metrics") as page:
            return page.read().decode()
    except OSError:
        return ""


def options():
    return [word.replace("$$", "$") for word in SERVICE["command"]]


def test_the_disk_below_a_volume_is_told_though_it_may_not_be_read(tmp_path):
    address = f"{HOST}:{free_port()}"
    mounts = []
    for volume in SERVICE["volumes"]:
        source, target, _ = volume.split(":")
        folder = tmp_path / source
        folder.mkdir(mode=0o700)
        mounts += ["--ro-bind", str(folder), target]
    as_nobody = ["setpriv", "--reuid", NOBODY, "--clear-groups"]
    with subprocess.Popen(
        [
            *("bwrap", "--unshare-pid", "--proc", "/proc", "--dev", "/dev"),
            *("--perms", "0755", "--dir", "/volumes"),
            *("--ro-bind", "/usr", "/usr"),
            *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64"),
            *("/lib64", "--ro-bind", "/etc", "/etc", *mounts),
            *(*as_nobody, SERVER, *options()),
            f"--web.listen-address={address}",
        ]
    ) as process:
        try:
            page = eventually(lambda: page_at(address), "its metrics", 30)
        finally:
            process.terminate()
    told = re.findall(
        r'^(node_filesystem_\w+_bytes)\{.*mountpoint="([^"]+)"\} (\S+)$',
        page,
        re.MULTILINE,
    )
    free = {
        mountpoint: float(value)
        for name, mountpoint, value in told
        if name == "node_filesystem_avail_bytes"
    }
    volumes = {each.split(":")[1] for each in SERVICE["volumes"]}
    assert {each for each in free if each != "/usr"} == volumes
    assert all(value > 0 for value in free.values())
    assert "node_filesystem_size_bytes" in {name for name, _, _ in told}
