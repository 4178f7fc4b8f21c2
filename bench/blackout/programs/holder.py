"""Holds `--megabytes` of memory, rewrites `--percent` of it a second, and answers any number of connections meanwhile.

One thread and large copies: at 4 GiB the rewriting itself must not be what a client waits for. A request is one line, `SEQUENCE chunk NUMBER`;
its answer is `SEQUENCE SERVED CHUNKS REWRITTEN CRC32-OF-THE-CHUNK CRC32-OF-THE-LINE`. What a chunk must hold follows from its number and from how
many have been rewritten so far (bench/blackout/expected-chunk.ts is the other side), and SERVED is counted for each connection.
"""

import hashlib
import mmap
import selectors
import signal
import socket
import struct
import sys
import time
import zlib
import os

CHUNK_BYTES = 65536
HEADER = struct.Struct("<QQ")
PATTERN = memoryview(hashlib.shake_256(b"evenkeel holder").digest(2 * CHUNK_BYTES))
# Short turns, whatever a write takes (one may wait for pages that are still on another host), so that a request never waits for the rewriting.
TURN_SECONDS = 0.005


def flag(name, default):
    return sys.argv[sys.argv.index(f"--{name}") + 1] if f"--{name}" in sys.argv else default


chunks = int(flag("megabytes", "64")) * (1 << 20) // CHUNK_BYTES
chunks_per_second = chunks * float(flag("percent", "10")) / 100
# Private: Python's default for an anonymous map is shared memory, which CRIU treats as a file.
memory = memoryview(mmap.mmap(-1, chunks * CHUNK_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
rewritten = 0


def write(chunk, generation):
    start = (chunk * 4099 + generation * 17) % CHUNK_BYTES
    at = chunk * CHUNK_BYTES
    HEADER.pack_into(memory, at, chunk, generation)
    memory[at + HEADER.size : at + CHUNK_BYTES] = PATTERN[start : start + CHUNK_BYTES - HEADER.size]


class Session:
    def __init__(self, connection):
        self.connection = connection
        self.served = 0
        self.unread = b""

    def take(self):
        """Answers what has come. False once the connection is over."""
        try:
            received = self.connection.recv(65536)
            if not received:
                return False
            *lines, self.unread = (self.unread + received).split(b"\n")
            for line in lines:
                self.connection.sendall(self.answer(line.decode("ascii", "replace").split()))
        except OSError:
            return False
        return True

    def answer(self, words):
        self.served += 1
        try:
            sequence, _, number = words
            at = int(number) * CHUNK_BYTES
            if not 0 <= at < len(memory):
                raise ValueError(number)
            fields = f"{chunks} {rewritten} {zlib.crc32(memory[at : at + CHUNK_BYTES]):08x}"
        except ValueError:
            sequence, fields = words[0] if words else "?", "error ValueError"
        line = f"{sequence} {self.served} {fields}".encode("ascii", "replace")
        return line + b" %08x\n" % zlib.crc32(line)


for number in range(chunks):
    write(number, 0)
# The kernel ignores SIGTERM for a namespace's first process unless it has a handler.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
selector = selectors.DefaultSelector()
listener = socket.create_server(("0.0.0.0", int(flag("port", "7000"))), backlog=4096)
selector.register(listener, selectors.EVENT_READ)
print("ready", flush=True)
last = time.monotonic()
due = 0.0
while True:
    for key, _ in selector.select(max(0.0, last + TURN_SECONDS - time.monotonic())):
        if key.fileobj is listener:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, Session(connection))
        elif not key.data.take():
            selector.unregister(key.fileobj)
            key.fileobj.close()
    now = time.monotonic()
    if now - last >= TURN_SECONDS:
        # What a pause left undone is not made up for: a burst after a freeze would delay the answers that are being waited for.
        due = min(due + (now - last) * chunks_per_second, 4 * TURN_SECONDS * chunks_per_second + 1)
        last = now
        while due >= 1 and time.monotonic() < now + TURN_SECONDS:
            write(rewritten % chunks, rewritten // chunks + 1)
            rewritten += 1
            due -= 1
