"""A line server fit to be a container's first process.

A request is one line, `SEQUENCE WORD...`; its answer is one line, `SEQUENCE SERVED FIELD... CRC32`.
SERVED counts the answers given on this connection, so a client sees a request that was lost or served twice
even when the connection itself survives. CRC32 (hex) covers all of the line before it.
"""

import os
import signal
import socket
import sys
import threading
import zlib


def flag(name, default):
    """The value after `--name` on the command line."""
    return sys.argv[sys.argv.index(f"--{name}") + 1] if f"--{name}" in sys.argv else default


def serve(open_session):
    """Serves for ever on `--port`. `open_session()` is called once a connection and gives `answer(served, words) -> str`."""
    # The kernel ignores SIGTERM for a namespace's first process unless it has a handler.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    listener = socket.create_server(("0.0.0.0", int(flag("port", "7000"))), backlog=64)
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(connection, open_session()), daemon=True).start()


def _converse(connection, answer):
    served = 0
    try:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                sequence, *words = line.decode("ascii", "replace").split() or ["?"]
                served += 1
                connection.sendall(_sealed(f"{sequence} {served} {_answered(answer, served, words)}"))
    except OSError:
        pass  # the client has gone; the program goes on for the others


def _answered(answer, served, words):
    try:
        return answer(served, words)
    except (ValueError, IndexError, KeyError) as error:
        return f"error {type(error).__name__}"


def _sealed(text):
    line = text.encode("ascii", "replace")
    return line + b" %08x\n" % zlib.crc32(line)
