"""Holds `--megabytes` of memory and rewrites it page by page, round and round, at `--rate` megabytes a second.

What a page must hold follows from its number and from how many pages have been rewritten so far, so a client can tell a
lost, stale or zeroed page from a right one. `window FIRST COUNT` answers `PAGES REWRITTEN CRC32` of those pages,
`page FIRST` answers `PAGES REWRITTEN BASE64` of one.
"""

import base64
import hashlib
import mmap
import struct
import threading
import time
import zlib

from line_server import flag, serve

PAGE_BYTES = 4096
TICKS_PER_SECOND = 20
HEADER = struct.Struct("<QQ")
PATTERN = hashlib.shake_256(b"evenkeel rewriter").digest(2 * PAGE_BYTES)

pages = int(flag("megabytes", "256")) * (1 << 20) // PAGE_BYTES
pages_per_tick = max(1, int(float(flag("rate", "8")) * (1 << 20) / PAGE_BYTES / TICKS_PER_SECOND))
# Private: Python's default for an anonymous map is shared memory, which CRIU treats as a file.
memory = mmap.mmap(-1, pages * PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
lock = threading.Lock()
rewritten = 0


def write(page, generation):
    start = (page * 31 + generation * 17) % PAGE_BYTES
    at = page * PAGE_BYTES
    memory[at : at + HEADER.size] = HEADER.pack(page, generation)
    memory[at + HEADER.size : at + PAGE_BYTES] = PATTERN[start : start + PAGE_BYTES - HEADER.size]


def keep_rewriting():
    global rewritten
    while True:
        with lock:
            for _ in range(pages_per_tick):
                write(rewritten % pages, rewritten // pages + 1)
                rewritten += 1
        time.sleep(1 / TICKS_PER_SECOND)


def answer(_served, words):
    first = int(words[1])
    count = int(words[2]) if words[0] == "window" else 1
    if first < 0 or count < 1 or first + count > pages:
        raise ValueError(words)
    with lock, memoryview(memory)[first * PAGE_BYTES : (first + count) * PAGE_BYTES] as held:
        if words[0] == "window":
            return f"{pages} {rewritten} {zlib.crc32(held):08x}"
        if words[0] == "page":
            return f"{pages} {rewritten} {base64.b64encode(held).decode()}"
    raise ValueError(words[0])


for number in range(pages):
    write(number, 0)
threading.Thread(target=keep_rewriting, daemon=True).start()
serve(lambda: answer)
