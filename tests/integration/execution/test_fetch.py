"""Forks as strangers make them, fetched with real git in bounded time."""

import hashlib
import os
import socket
import subprocess
import sys
import threading
import zlib
from dataclasses import replace

import pytest
from quasar_core.errors import RejectionCode, SubmissionFault, TransientError
from quasar_core.execution.bubblewrap import BubblewrapSandbox
from quasar_core.execution.docker import DockerSandbox
from quasar_core.execution.fetch import (
    Fetcher,
    FetchLimits,
    fetch_checked,
    local_source,
)
from quasar_core.execution.git import commit_files, create_repository, head
from quasar_core.execution.hardened_git import GitTimeout

from tests.support.docker_engine import (
    docker_engine,  # noqa: F401 -- a fixture is found by its name
)
from tests.support.git_server import certificate, git_server, stalling
from tests.support.sandboxes import sandbox_in

FOLDER = "fla/ops/quasar"
KERNEL = b"def chunk_quasar(q, k, v, beta):\n    return v, None\n"
INIT = b"from .chunk import chunk_quasar\n"
HONEST = {f"{FOLDER}/__init__.py": INIT, f"{FOLDER}/chunk.py": KERNEL}
SANDBOX = BubblewrapSandbox(allow_degraded=True)


@pytest.fixture
def limits():
    return FetchLimits(allowed_schemes=("file",), seconds=40)


@pytest.fixture(autouse=True)
def sandbox(tmp_path, monkeypatch):
    """Where everything is read; nothing of it is left behind."""
    tmp_path.chmod(0o755)
    made = sandbox_in(tmp_path, allow_degraded=True)
    monkeypatch.setattr(sys.modules[__name__], "SANDBOX", made)
    yield made
    assert list((tmp_path / "leases").glob("*.lease")) == []


@pytest.fixture
def fork(tmp_path):
    return tmp_path / "fork"


def git(path, *arguments, given=None):
    done = subprocess.run(
        ["git", *arguments],
        cwd=path,
        input=given,
        capture_output=True,
        check=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "stranger",
            "GIT_AUTHOR_EMAIL": "stranger@localhost",
            "GIT_COMMITTER_NAME": "stranger",
            "GIT_COMMITTER_EMAIL": "stranger@localhost",
        },
    )
    return done.stdout.decode().strip()


def fetch(limits, fork, commit_hash):
    return Fetcher(SANDBOX, limits).fetch(f"file://{fork}", commit_hash)


def fault_of(limits, fork, commit_hash):
    with pytest.raises(SubmissionFault) as caught:
        fetch(limits, fork, commit_hash)
    assert caught.value.stage == "fetch"
    return caught.value.code


def committed(fork, *entries):
    """A commit whose kernel folder has entries (mode, kind, object, name)."""
    tree = "".join(
        f"{mode} {kind} {name}\t{path}\0" for mode, kind, name, path in entries
    )
    for folder in ("quasar", "ops", "fla"):
        made = git(fork, "mktree", "-z", "--missing", given=tree.encode())
        tree = f"040000 tree {made}\t{folder}\0"
    made = git(fork, "mktree", "-z", given=tree.encode())
    return git(fork, "commit-tree", "-m", "crafted", made)


def entry(tree, name):
    return f"040000 tree {tree}\t{name}\x00".encode()


def blob(fork, content):
    return git(fork, "hash-object", "-w", "--stdin", given=content)


def bomb(fork, mebibytes):
    """A blob of zeros that is small where it lies, made without git."""
    block = bytes(1024 * 1024)
    head = f"blob {len(block) * mebibytes}\0".encode()
    digest, packed = hashlib.sha1(head), zlib.compressobj(1)
    parts = [packed.compress(head)]
    for _ in range(mebibytes):
        digest.update(block)
        parts.append(packed.compress(block))
    name = digest.hexdigest()
    path = fork / ".git" / "objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join((*parts, packed.flush())))
    return name


def test_the_kernel_files_of_a_commit_come_whole(limits, fork):
    commit = create_repository(
        fork,
        {
            **HONEST,
            "README.md": b"mine",
            f"{FOLDER}/notes.md": b"not a kernel",
            f"{FOLDER}/deeper/extra.py": b"not in the folder",
            "fla/layers/quasar.py": b"raise SystemExit",
        },
    )
    source = fetch(limits, fork, commit)
    assert {file.name: file.text.encode() for file in source.files} == {
        "__init__.py": INIT,
        "chunk.py": KERNEL,
    }
    assert source == local_source(fork)


def test_an_older_commit_comes_as_it_was(limits, fork):
    first = create_repository(fork, HONEST)
    commit_files(fork, {f"{FOLDER}/chunk.py": KERNEL + b"#\n"}, "later")
    texts = [file.text for file in fetch(limits, fork, first).files]
    assert texts[1].encode() == KERNEL


def test_an_executable_file_is_a_regular_file(limits, fork):
    create_repository(fork, HONEST)
    (fork / FOLDER / "chunk.py").chmod(0o755)
    commit = commit_files(fork, {}, "executable")
    assert len(fetch(limits, fork, commit).files) == 2


def test_windows_line_endings_are_text_and_kept(limits, fork):
    content = KERNEL.replace(b"\n", b"\r\n")
    create_repository(fork, HONEST)
    entry = ("100644", "blob", blob(fork, content), "chunk.py")
    commit = committed(fork, entry)
    assert fetch(limits, fork, commit).files[0].text.encode() == content


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfx = 1\n",
        b"x = 1\0\n",
        b"x = 1\ry = 2\n",
        b"\xff\xfe",
        b"# -*- coding: utf-7 -*-\n",
    ],
    ids=["bom", "nul", "bare_cr", "not_utf8", "cookie"],
)
def test_what_is_not_plain_text_is_refused(limits, fork, content):
    commit = create_repository(fork, {**HONEST, f"{FOLDER}/chunk.py": content})
    assert fault_of(limits, fork, commit) is RejectionCode.NOT_TEXT


def test_the_hash_of_a_tag_is_not_a_commits(limits, fork):
    create_repository(fork, HONEST)
    git(fork, "tag", "-a", "-m", "release", "v1")
    tag = git(fork, "rev-parse", "v1")
    assert fault_of(limits, fork, tag) is RejectionCode.COMMIT_NOT_FOUND


@pytest.mark.parametrize("what", ["HEAD^{tree}", f"HEAD:{FOLDER}/chunk.py"])
def test_the_hash_of_a_tree_or_blob_is_not_a_commits(limits, fork, what):
    create_repository(fork, HONEST)
    other = git(fork, "rev-parse", what)
    assert fault_of(limits, fork, other) is RejectionCode.COMMIT_NOT_FOUND


def test_a_commit_of_another_repository_is_not_found(limits, fork, tmp_path):
    create_repository(fork, HONEST)
    elsewhere = create_repository(tmp_path / "other", {"a": b"b"})
    assert fault_of(limits, fork, elsewhere) is RejectionCode.COMMIT_NOT_FOUND


@pytest.mark.parametrize("name", ["main", "HEAD", "v1", "A" * 40, "-x" * 20])
def test_only_a_full_hash_names_a_commit(limits, fork, name):
    create_repository(fork, HONEST)
    assert fault_of(limits, fork, name) is RejectionCode.COMMIT_NOT_FOUND


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/x/y",
        "ext::sh -c 'touch /tmp/owned'",
        "--upload-pack=touch /tmp/owned",
        "git@github.com:x/y",
        "file://host/x",
        "file:///x/../y",
    ],
)
def test_only_an_allowed_address_is_tried(limits, url):
    with pytest.raises(SubmissionFault) as caught:
        Fetcher(SANDBOX, limits).fetch(url, "0" * 40)
    assert caught.value.code is RejectionCode.FORK_UNREACHABLE


def test_a_folder_without_a_repository_is_unreachable(limits, fork):
    fork.mkdir()
    code = fault_of(limits, fork, "0" * 40)
    assert code is RejectionCode.FORK_UNREACHABLE


@pytest.mark.parametrize("files", [{"a.py": b""}, {f"{FOLDER}/a.md": b""}])
def test_a_commit_without_kernel_files_misses_them(limits, fork, files):
    commit = create_repository(fork, files)
    assert fault_of(limits, fork, commit) is RejectionCode.FILES_MISSING


def test_a_kernel_folder_that_is_a_file_or_link_holds_no_files(limits, fork):
    commit = create_repository(fork, {"fla/ops/quasar": b"x"})
    assert fault_of(limits, fork, commit) is RejectionCode.FILES_MISSING
    (fork / FOLDER).unlink()
    (fork / FOLDER).symlink_to("/etc")
    commit = commit_files(fork, {}, "link")
    assert fault_of(limits, fork, commit) is RejectionCode.FILES_MISSING


def test_a_link_out_of_the_tree_is_not_text(limits, fork):
    create_repository(fork, HONEST)
    (fork / FOLDER / "secrets.py").symlink_to("/etc/passwd")
    commit = commit_files(fork, {}, "link")
    assert fault_of(limits, fork, commit) is RejectionCode.NOT_TEXT


@pytest.mark.parametrize("mode", ["160000 commit", "040000 tree"])
def test_a_submodule_or_folder_called_like_a_file_is_not_text(
    limits, fork, mode
):
    create_repository(fork, HONEST)
    kind = mode.split()[1]
    name = git(fork, "rev-parse", f"HEAD^{{{kind}}}")
    commit = committed(fork, (*mode.split(), name, "x.py"))
    assert fault_of(limits, fork, commit) is RejectionCode.NOT_TEXT


def test_a_name_that_is_no_modules_is_refused(limits, fork):
    commit = create_repository(fork, {**HONEST, f"{FOLDER}/Über-x.py": b""})
    assert fault_of(limits, fork, commit) is RejectionCode.NOT_TEXT


def test_a_name_with_escapes_is_shown_as_plain_text(limits, fork):
    create_repository(fork, HONEST)
    entry = ("100644", "blob", blob(fork, b""), "a\n\x1b[2Jb.py")
    commit = committed(fork, entry)
    with pytest.raises(SubmissionFault) as caught:
        fetch(limits, fork, commit)
    assert caught.value.detail.isprintable()


def test_seventeen_files_are_too_many(limits, fork):
    files = {f"{FOLDER}/k{each}.py": b"x = 1\n" for each in range(17)}
    commit = create_repository(fork, files)
    assert fault_of(limits, fork, commit) is RejectionCode.TOO_LARGE


def test_a_file_over_its_size_is_too_large(limits, fork):
    big = b"#" * (256 * 1024 + 1)
    commit = create_repository(fork, {**HONEST, f"{FOLDER}/chunk.py": big})
    assert fault_of(limits, fork, commit) is RejectionCode.TOO_LARGE


def test_files_over_their_common_size_are_too_large(limits, fork):
    files = {
        f"{FOLDER}/k{each}.py": b"#" * 250_000 + bytes([65 + each])
        for each in range(5)
    }
    commit = create_repository(fork, files)
    assert fault_of(limits, fork, commit) is RejectionCode.TOO_LARGE


def test_random_bytes_beyond_the_travelling_bound_are_too_large(limits, fork):
    files = {f"{FOLDER}/chunk.py": os.urandom(6_000_000)}
    commit = create_repository(fork, files)
    assert fault_of(limits, fork, commit) is RejectionCode.TOO_LARGE


def test_a_gigabyte_that_packs_into_little_is_too_large(limits, fork):
    create_repository(fork, HONEST)
    name = bomb(fork, 1024)
    commit = committed(fork, ("100644", "blob", name, "chunk.py"))
    assert fault_of(limits, fork, commit) is RejectionCode.TOO_LARGE


def test_a_pointer_to_a_large_file_is_the_text_that_it_is(limits, fork):
    pointer = (
        b"version https://git-lfs.github.com/spec/v1\n"
        b"oid sha256:" + b"4" * 64 + b"\nsize 12345\n"
    )
    attributes = b"*.py filter=lfs diff=lfs merge=lfs -text\n"
    create_repository(fork, {**HONEST, ".gitattributes": attributes})
    entry = ("100644", "blob", blob(fork, pointer), "chunk.py")
    commit = committed(fork, entry)
    (file,) = fetch(limits, fork, commit).files
    assert file.text.encode() == pointer


def test_names_that_differ_in_case_alone_are_refused(limits, fork):
    create_repository(fork, HONEST)
    name = blob(fork, KERNEL)
    commit = committed(
        fork,
        ("100644", "blob", name, "Chunk.py"),
        ("100644", "blob", name, "chunk.py"),
    )
    assert fault_of(limits, fork, commit) is RejectionCode.NOT_TEXT


def test_a_large_blob_elsewhere_is_never_fetched(limits, fork):
    files = {**HONEST, "weights.bin": os.urandom(8_000_000)}
    commit = create_repository(fork, files)
    narrow = replace(limits, pack_bytes=100_000, blob_bytes=100_000)
    assert len(fetch(narrow, fork, commit).files) == 2


def test_a_tree_of_a_hundred_thousand_files_is_read_in_bounded_time(
    limits, fork
):
    create_repository(fork, HONEST)
    empty = blob(fork, b"")
    listing = "".join(
        f"100644 blob {empty}\tf{each:06}\0" for each in range(100_000)
    )
    wide = git(fork, "mktree", "-z", given=listing.encode())
    fla = git(fork, "rev-parse", "HEAD:fla")
    tree = git(
        fork,
        *("mktree", "-z"),
        given=entry(fla, "fla") + entry(wide, "wide"),
    )
    commit = git(fork, "commit-tree", "-m", "wide", tree)
    assert len(fetch(limits, fork, commit).files) == 2


def test_a_kernel_folder_of_a_hundred_thousand_entries_is_too_large(
    limits, fork
):
    create_repository(fork, HONEST)
    empty = blob(fork, b"")
    entries = [
        ("100644", "blob", empty, f"f{each:06}.py") for each in range(100_000)
    ]
    commit = committed(fork, *entries)
    assert fault_of(limits, fork, commit) is RejectionCode.TOO_LARGE


def test_a_thousand_refs_are_no_burden(limits, fork):
    commit = create_repository(fork, HONEST)
    refs = (f"{commit} refs/heads/b{each}\n" for each in range(1000))
    (fork / ".git" / "packed-refs").write_text("".join(sorted(refs)))
    assert len(git(fork, "branch").splitlines()) == 1001
    assert len(fetch(limits, fork, commit).files) == 2


def test_a_tree_that_climbs_out_is_refused(limits, fork):
    create_repository(fork, HONEST)
    name = bytes.fromhex(blob(fork, b"x"))
    raw = b"100644 ..\0" + name
    evil = git(
        fork,
        *("hash-object", "-t", "tree", "-w", "--literally", "--stdin"),
        given=raw,
    )
    fla = git(fork, "rev-parse", "HEAD:fla")
    tree = git(
        fork,
        *("mktree", "-z", "--missing"),
        given=entry(evil, "evil") + entry(fla, "fla"),
    )
    commit = git(fork, "commit-tree", "-m", "evil", tree)
    assert fault_of(limits, fork, commit) is RejectionCode.FORK_UNREACHABLE


def test_nothing_of_a_fork_or_of_the_host_is_run(
    limits, fork, tmp_path, monkeypatch
):
    commit = create_repository(
        fork,
        {
            **HONEST,
            ".gitattributes": b"* filter=evil diff=evil\n",
            ".lfsconfig": b"[lfs]\n\turl = https://example.org\n",
            ".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = ./y\n',
        },
    )
    touch = tmp_path / "touched"
    script = tmp_path / "touch.sh"
    script.write_text(f"#!/bin/sh\ntouch {touch}\n")
    script.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[core]\n"
        f"\thooksPath = {tmp_path}\n\tfsmonitor = {script}\n"
        f'[filter "evil"]\n\tsmudge = {script}\n\tclean = {script}\n'
        f"[credential]\n\thelper = {script}\n"
        f"[uploadpack]\n\tpackObjectsHook = {script}\n"
    )
    for hook in ("post-checkout", "reference-transaction", "post-merge"):
        (tmp_path / hook).symlink_to(script)
        (fork / ".git" / "hooks").mkdir(exist_ok=True)
        (fork / ".git" / "hooks" / hook).symlink_to(script)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    assert len(fetch(limits, fork, commit).files) == 2
    assert not touch.exists()


def test_a_force_push_does_not_change_what_was_fetched(limits, fork):
    commit = create_repository(fork, HONEST)
    before = fetch(limits, fork, commit)
    git(fork, "commit", "--amend", "-m", "other")
    git(fork, "reflog", "expire", "--expire=now", "--all")
    git(fork, "gc", "--quiet", "--prune=now")
    assert fault_of(limits, fork, commit) is RejectionCode.COMMIT_NOT_FOUND
    assert len(before.files) == 2


# --- over HTTP ---------------------------------------------------------------


@pytest.fixture
def http(limits):
    return replace(
        limits,
        allowed_schemes=("http",),
        allowed_hosts=("127.0.0.1",),
        private=True,
    )


def test_parts_of_a_commit_come_over_http(http, tmp_path):
    files = {**HONEST, "weights.bin": os.urandom(8_000_000)}
    commit = create_repository(tmp_path / "served" / "fork", files)
    narrow = replace(http, pack_bytes=100_000, blob_bytes=100_000)
    with git_server(tmp_path / "served") as (url, asked):
        source = fetch_checked(f"{url}/fork/.git", commit, narrow, SANDBOX)
        # Neither all refs nor anything but two packs was asked for.
        posts = [path for path in asked if path.endswith("git-upload-pack")]
    assert len(source.files) == 2
    assert len(posts) <= 4


def test_a_host_that_serves_no_parts_is_asked_for_the_whole_commit(
    http, tmp_path
):
    files = {**HONEST, "weights.bin": os.urandom(3_000_000)}
    commit = create_repository(tmp_path / "served" / "fork", files)
    with git_server(tmp_path / "served", filters=False) as (url, _):
        address = f"{url}/fork/.git"
        assert len(fetch_checked(address, commit, http, SANDBOX).files) == 2
        narrow = replace(http, pack_bytes=2_000_000)
        with pytest.raises(SubmissionFault) as caught:
            fetch_checked(address, commit, narrow, SANDBOX)
    assert caught.value.code is RejectionCode.TOO_LARGE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, RejectionCode.FORK_UNREACHABLE),
        (403, RejectionCode.FORK_UNREACHABLE),
        (404, RejectionCode.FORK_UNREACHABLE),
        (410, RejectionCode.FORK_UNREACHABLE),
        (429, TransientError),
        (500, TransientError),
        (503, TransientError),
    ],
)
def test_an_answer_of_the_host_tells_whose_fault_it_is(
    http, tmp_path, status, expected
):
    def refuse(handler):
        handler.answer(status, {"WWW-Authenticate": 'Basic realm="x"'})
        return True

    with (
        git_server(tmp_path, refuse) as (url, _),
        pytest.raises((SubmissionFault, TransientError)) as caught,
    ):
        fetch_checked(f"{url}/fork", "0" * 40, http, SANDBOX)
    error = caught.value
    found = error.code if isinstance(error, SubmissionFault) else type(error)
    assert found is expected


def test_a_redirect_is_not_followed(http, tmp_path):
    commit = create_repository(tmp_path / "served" / "fork", HONEST)
    with git_server(tmp_path / "served") as (target, asked):

        def redirect(handler):
            where = f"{target}/fork/.git/info/refs?service=git-upload-pack"
            handler.answer(301, {"Location": where})
            return True

        with (
            git_server(tmp_path, redirect) as (url, _),
            pytest.raises(SubmissionFault) as caught,
        ):
            fetch_checked(f"{url}/moved", commit, http, SANDBOX)
    assert caught.value.code is RejectionCode.FORK_UNREACHABLE
    assert asked == []


def test_a_redirect_to_a_port_of_this_machine_reaches_nobody(http, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def redirect(handler):
            where = f"http://127.0.0.1:{port}/info/refs"
            handler.answer(302, {"Location": where})
            return True

        with (
            git_server(tmp_path, redirect) as (url, _),
            pytest.raises(SubmissionFault),
        ):
            fetch_checked(f"{url}/moved", "0" * 40, http, SANDBOX)
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize(
    "closed", [{"allowed_hosts": ("github.com",)}, {"private": False}]
)
def test_no_other_host_and_no_private_network_is_reached(
    http, tmp_path, closed
):
    commit = create_repository(tmp_path / "served" / "fork", HONEST)
    with (
        git_server(tmp_path / "served") as (url, asked),
        pytest.raises(TransientError),
    ):
        fetch_checked(
            f"{url}/fork/.git", commit, replace(http, **closed), SANDBOX
        )
    assert asked == []


def test_a_commit_comes_over_tls_through_the_gateway(http, tmp_path):
    commit = create_repository(tmp_path / "served" / "fork", HONEST)
    authority, key = certificate(tmp_path)
    limits = replace(http, allowed_schemes=("https",), authorities=authority)
    tls = (authority, key)
    with git_server(tmp_path / "served", tls=tls) as (url, asked):
        address = f"{url}/fork/.git"
        source = fetch_checked(address, commit, limits, SANDBOX)
        assert len(source.files) == 2
        asked.clear()
        # Known by the system's certificates alone, the host is a stranger.
        with pytest.raises(TransientError, match="certificate"):
            fetch_checked(
                address, commit, replace(limits, authorities=None), SANDBOX
            )
    assert asked == []


def test_a_page_that_is_no_repository_is_the_forks_fault(http, tmp_path):
    def page(handler):
        handler.answer(200, {"Content-Type": "text/html"}, b"<h1>hello</h1>")
        return True

    with (
        git_server(tmp_path, page) as (url, _),
        pytest.raises(SubmissionFault) as caught,
    ):
        fetch_checked(f"{url}/fork", "0" * 40, http, SANDBOX)
    assert caught.value.code is RejectionCode.FORK_UNREACHABLE


def test_a_host_that_stalls_is_the_worlds_fault_and_bounded(http, tmp_path):
    brief = replace(http, seconds=1)
    with (
        git_server(tmp_path, stalling) as (url, _),
        pytest.raises(GitTimeout),
    ):
        fetch_checked(f"{url}/fork", "0" * 40, brief, SANDBOX)


def test_a_host_that_is_not_there_is_the_worlds_fault(http):
    with pytest.raises(TransientError):
        fetch_checked("http://127.0.0.1:1/fork", "0" * 40, http, SANDBOX)


def test_a_protocol_that_is_not_allowed_is_refused_by_git_too(
    limits, tmp_path
):
    commit = create_repository(tmp_path / "served" / "fork", HONEST)
    with (
        git_server(tmp_path / "served") as (url, asked),
        pytest.raises(SubmissionFault) as caught,
    ):
        fetch_checked(f"{url}/fork/.git", commit, limits, SANDBOX)
    assert caught.value.code is RejectionCode.FORK_UNREACHABLE
    assert asked == []


def test_a_container_reads_what_bubblewrap_reads(
    http, tmp_path, docker_engine  # noqa: F811
):
    commit = create_repository(tmp_path / "served" / "fork", HONEST)
    container = DockerSandbox(
        host=docker_engine, lease_directory=tmp_path / "leases"
    )
    with git_server(tmp_path / "served") as (url, _):
        address = f"{url}/fork/.git"
        found = [
            fetch_checked(address, commit, http, each)
            for each in (container, SANDBOX)
        ]
    assert found[0] == found[1] == local_source(tmp_path / "served" / "fork")


def test_many_fetches_at_once_keep_apart(limits, tmp_path):
    commits = {
        name: create_repository(
            tmp_path / name, {**HONEST, f"{FOLDER}/x.py": name.encode()}
        )
        for name in ("a", "b", "c", "d")
    }
    found = {}

    def work(name):
        source = Fetcher(SANDBOX, limits).fetch(
            f"file://{tmp_path / name}", commits[name]
        )
        found[name] = source.files[2].text

    threads = [threading.Thread(target=work, args=(name,)) for name in commits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: name for name in commits}
    assert head(tmp_path / "a") == commits["a"]
