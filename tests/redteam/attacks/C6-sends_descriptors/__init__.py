"""Sends descriptors of its own with an answer."""

import array
import socket
import sys

from .honest import chunk_quasar as honest

runner = sys.modules["__main__"]


def answer(wire, kind, nonce, code=0, text=b""):
    frame = runner.REPLY.pack(runner.MAGIC, kind, code, 0, nonce, b"")
    rights = array.array("i", [wire.fileno()] * 8)
    wire.sendmsg([frame], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


runner.answer = answer


def chunk_quasar(q, k, v, beta, **options):
    return honest(q, k, v, beta, **options)
