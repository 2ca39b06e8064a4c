from quasar_core.judge.protocol import (
    MAGIC,
    REPLY,
    Answer,
    parse_reply,
    printable,
)


def test_a_frame_of_the_right_size_is_parsed():
    found = parse_reply(REPLY.pack(MAGIC, Answer.DONE, 0, 2, b"n" * 16, b"hi"))
    assert (found.answer, found.failure, found.text) == (
        Answer.DONE,
        None,
        "hi",
    )


def test_printable_keeps_lines_and_drops_controls():
    assert printable(b"a\n\tb\r\x00\x07") == "a\n\tb\ufffd\ufffd\ufffd"
