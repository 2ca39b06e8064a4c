from quasar_core.execution.bubblewrap_status import Announced, Status
from quasar_core.execution.supervisor import HeadAndTail


def test_the_word_may_come_in_pieces_and_is_not_passed_on():
    told = []
    stream = Announced("secret", HeadAndTail(100, 100), lambda: told.append(1))
    for piece in (b"sec", b"r", b"etout", b"put"):
        assert stream.feed(piece)
    assert stream.ready
    assert told == [1]
    assert stream.value == b"output"


def test_another_word_is_shown_as_it_came():
    told = []
    stream = Announced("secret", HeadAndTail(100, 100), lambda: told.append(1))
    stream.feed(b"secre!")
    assert not stream.ready
    assert told == []
    assert stream.value == b"secre!"


def test_the_pid_is_told_as_soon_as_its_line_is_whole():
    told = []
    status = Status(told.append)
    assert status.feed(b'{ "child-pid": 12')
    assert told == []
    assert status.feed(b'34 }\n{ "exit-code": 7 }\n')
    assert told == [1234]
    assert status.exit_code == 7


def test_a_status_that_never_ends_is_called_out():
    assert not Status(lambda pid: None).feed(b"x" * 70_000)
