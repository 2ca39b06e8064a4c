"""Keeping processes up until somebody says stop."""

import os
import signal
import socket
import sys
import threading

import pytest

from deploy.local.environment import HOST
from deploy.local.operate import usable_port, watch_over
from deploy.local.processes import Processes, ProcessFault, Program
from deploy.local.screen import Screen
from deploy.local.session import interruptible


def test_a_port_that_is_free_is_used_and_a_taken_one_is_not():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        taken = listener.getsockname()[1]
        assert usable_port(taken) not in {0, taken}
    assert usable_port(taken) == taken


def test_watching_ends_with_an_interruption(tmp_path, capsys):
    with Processes(tmp_path) as processes, interruptible():
        sleeper = (sys.executable, "-c", "import time; time.sleep(60)")
        processes.start(Program("one", sleeper))
        arguments = (os.getpid(), signal.SIGTERM)
        timer = threading.Timer(0.2, os.kill, arguments)
        timer.start()
        watch_over(processes, Screen())
        timer.join()
    assert "stopping everything" in capsys.readouterr().out


def test_a_process_that_ends_is_told(tmp_path):
    with Processes(tmp_path) as processes:
        processes.start(
            Program("one", (sys.executable, "-c", "import sys; sys.exit(3)"))
        )
        with pytest.raises(ProcessFault, match="one ended with exit code 3"):
            watch_over(processes, Screen())
