"""Two processes and their threads. Each request goes from the parent over a socket pair to its forked child, there from
the reading thread to a working thread, and back. Each of the three keeps its own count for each connection:
`pass` answers `PARENT READER WORKER PARENT_PID CHILD_PID`, and the three counts must be equal.
"""

import itertools
import os
import queue
import signal
import socket
import threading
from collections import Counter

from line_server import serve

parent_end, child_end = socket.socketpair()


def run_child():
    parent_end.close()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    handed_over = queue.SimpleQueue()
    threading.Thread(target=work, args=(handed_over,), daemon=True).start()
    read_counts = Counter()
    with child_end.makefile("rb") as lines:
        for line in lines:
            session = int(line)
            read_counts[session] += 1
            handed_over.put((session, read_counts[session]))
    os._exit(0)  # the parent has gone


def work(handed_over):
    work_counts = Counter()
    while True:
        session, read_count = handed_over.get()
        work_counts[session] += 1
        child_end.sendall(f"{read_count} {work_counts[session]}\n".encode())


child_pid = os.fork()
if child_pid == 0:
    run_child()

child_end.close()
answers = parent_end.makefile("rb")
lock = threading.Lock()
sessions = itertools.count(1)


def open_session():
    session = next(sessions)

    def answer(served, words):
        if words[0] != "pass":
            raise ValueError(words[0])
        with lock:
            parent_end.sendall(f"{session}\n".encode())
            read_count, work_count = answers.readline().decode().split() or os._exit(1)
        return f"{served} {read_count} {work_count} {os.getpid()} {child_pid}"

    return answer


serve(open_session)
