"""Sources: names, sizes and bytes, before anything is parsed."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quasar_core.domain.sources import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_TOTAL_BYTES,
    check_mode,
    check_names_and_sizes,
    read_text,
    tree_hash,
)
from quasar_core.errors import RejectionCode, Stage, SubmissionFault


def refused(call, *arguments):
    with pytest.raises(SubmissionFault) as caught:
        call(*arguments)
    assert caught.value.stage is Stage.FETCH
    return caught.value.code, caught.value.evidence["rule"]


@pytest.mark.parametrize("mode", ["100644", "100755"])
def test_regular_files_are_taken(mode):
    check_mode("chunk.py", mode)


@pytest.mark.parametrize("mode", ["120000", "160000", "040000", "100664", ""])
def test_d3_links_submodules_and_folders_are_not(mode):
    assert refused(check_mode, "chunk.py", mode) == (
        RejectionCode.NOT_TEXT,
        "regular_file",
    )


def test_as_much_as_the_rules_allow_is_allowed():
    full = {f"f{n}.py": MAX_TOTAL_BYTES // 16 for n in range(MAX_FILES)}
    check_names_and_sizes(full)
    check_names_and_sizes({"_a1.py": MAX_FILE_BYTES})


@pytest.mark.parametrize(
    ("sizes", "rule"),
    [
        ({f"f{n}.py": 1 for n in range(17)}, "files"),
        ({"a.py": MAX_FILE_BYTES + 1}, "file_bytes"),
        ({f"f{n}.py": MAX_FILE_BYTES - 1 for n in range(5)}, "total_bytes"),
    ],
)
def test_one_more_is_too_large(sizes, rule):
    assert refused(check_names_and_sizes, sizes) == (
        RejectionCode.TOO_LARGE,
        rule,
    )


def test_no_files_are_missing_files():
    assert refused(check_names_and_sizes, {}) == (
        RejectionCode.FILES_MISSING,
        "files",
    )


@pytest.mark.parametrize(
    "name",
    [
        "Chunk.py",
        "1.py",
        "a-b.py",
        "a b.py",
        "../a.py",
        "a/b.py",
        ".py",
        "a.pyc",
        "a.py\n",
        "a",
        "\u00e9.py",
        "\udcff.py",
        "a.so",
    ],
)
def test_a_name_that_is_no_modules_is_refused(name):
    assert refused(check_names_and_sizes, {name: 1}) == (
        RejectionCode.NOT_TEXT,
        "file_name",
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x = 1\n",
        b"x = 1\r\ny = 2\r\n",
        "# \u00fc: caf\u00e9\n".encode(),
        b"# -*- coding: utf-8 -*-\n",
        b"#!/usr/bin/env python\n# vim: set fileencoding=UTF8 :\n",
        b"x = 1\ny = 2\n# coding: latin-1 from line three on is a comment\n",
        b"encoding = 'latin-1'  # no comment line\n",
    ],
)
def test_plain_text_is_read_as_it_is(content):
    assert read_text("a.py", content) == content.decode()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"\xef\xbb\xbfx = 1\n", "byte_order_mark"),
        (b"\xff\xfex\0", "nul"),
        (b"x = 1\0\n", "nul"),
        (b"# safe\rimport os\n", "bare_cr"),
        (b"x = 1\r\r\n", "bare_cr"),
        (b"x = 1\r", "bare_cr"),
        (b"x = '\xff'\n", "utf_8"),
        (b"x = '\xed\xa0\x80'\n", "utf_8"),
        (b"x = '\xc0\xaf'\n", "utf_8"),
        (b"# coding: utf-7\n", "coding_cookie"),
        (b"# coding=latin-1\n", "coding_cookie"),
        (b"# -*- coding: unicode_escape -*-\n", "coding_cookie"),
        (b"\n \t\x0c# vim: fileencoding=rot13\n", "coding_cookie"),
        (b"# coding: utf-8 coding: utf-7\n", "coding_cookie"),
        (b"# encoding:cp1252\r\n", "coding_cookie"),
        (b"# coding: utf-8-sig\n", "coding_cookie"),
        (b"# coding: utf_8\n", "coding_cookie"),
    ],
)
def test_c4_what_a_reader_could_see_otherwise_is_refused(content, rule):
    assert refused(read_text, "a.py", content) == (
        RejectionCode.NOT_TEXT,
        rule,
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_refused(content):
    try:
        text = read_text("a.py", content)
    except SubmissionFault:
        assert refused(read_text, "a.py", content)[0] is (
            RejectionCode.NOT_TEXT
        )
    else:
        assert text.encode() == content
        assert "\0" not in text


def test_a_tree_hash_is_over_names_and_raw_bytes():
    message = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (b"quasar/tree/v1", b"a.py", b"x", b"b.py", b"y\r\n")
    )
    assert tree_hash({"b.py": "y\r\n", "a.py": b"x"}) == (
        hashlib.sha256(message).hexdigest()
    )


contents = st.dictionaries(
    st.text("ab", min_size=1, max_size=3), st.binary(max_size=6), max_size=4
)


@given(contents, contents)
def test_other_files_have_another_tree_hash(one, other):
    assert (tree_hash(one) == tree_hash(other)) == (one == other)
