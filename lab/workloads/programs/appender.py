"""Appends numbered lines to `--file`, each chained to the one before by its hash, and syncs each to the disk.

Line N is `N HASH`, HASH(N) = sha256(HASH(N-1) + " " + N) in hex, HASH(0) = 64 zeros. `last` answers `COUNT HASH` from memory
and `COUNT HASH` of the last line of the file; `audit` reads the whole file and answers `COUNT HASH` of what is in it.
The file is opened anew by its name for each answer, so a volume left behind is noticed.
"""

import hashlib
import os
import threading
import time

from line_server import flag, serve

START = "0" * 64
LONGEST_LINE_BYTES = 100

path = flag("file", "/data/journal")
pause_seconds = 1 / float(flag("rate", "4"))
lock = threading.Lock()


def chained(before, number):
    return hashlib.sha256(f"{before} {number}".encode()).hexdigest()


def audit():
    """Count and hash of the file's intact lines; ValueError names the first broken one."""
    count, tip = 0, START
    with open(path, encoding="ascii") as lines:
        for line in lines:
            count, tip = count + 1, chained(tip, count + 1)
            if line != f"{count} {tip}\n":
                raise ValueError(f"line {count}")
    return count, tip


def last_line():
    with open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - LONGEST_LINE_BYTES))
        lines = file.read().decode("ascii").splitlines()
    return lines[-1] if lines else f"0 {START}"


def keep_appending():
    global count, tip
    while True:
        with lock:
            tip = chained(tip, count + 1)
            count += 1
            os.write(journal, f"{count} {tip}\n".encode())
            os.fsync(journal)
        time.sleep(pause_seconds)


def answer(_served, words):
    with lock:
        if words[0] == "last":
            return f"{count} {tip} {last_line()}"
        if words[0] == "audit":
            return "{} {}".format(*audit())
    raise ValueError(words[0])


journal = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o644)
count, tip = audit()
threading.Thread(target=keep_appending, daemon=True).start()
serve(lambda: answer)
