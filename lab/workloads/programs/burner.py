"""Burns CPU on demand: `burn PERCENT` sets the share of one core, `work` answers `PERCENT STEPS STATE`.

The work is a linear congruential generator modulo 2^64 that starts at 0. Its state after any number of steps can be
computed in a few multiplications, so a client proves each answer without doing the work again.
"""

import sys
import threading
import time

from line_server import flag, serve

MULTIPLIER = 6364136223846793005
INCREMENT = 1442695040888963407
MASK = (1 << 64) - 1
STEPS_AT_ONCE = 2000
PERIOD_SECONDS = 0.1

demand = threading.Condition()
percent = int(flag("percent", "0"))
progress = (0, 0)  # steps, state: one tuple, so that a reader never sees half a change


def burn():
    global progress
    while True:
        with demand:
            demand.wait_for(lambda: percent > 0)
            share = percent / 100
        started = time.monotonic()
        budget_seconds = share * PERIOD_SECONDS
        # Counted in CPU time: a busy node makes the work late, not less, as with a real service.
        cpu_started = time.thread_time()
        # Not below zero: the clock of a thread that was restored begins anew.
        while 0 <= time.thread_time() - cpu_started < budget_seconds:
            steps, state = progress
            for _ in range(STEPS_AT_ONCE):
                state = (state * MULTIPLIER + INCREMENT) & MASK
            progress = (steps + STEPS_AT_ONCE, state)
        time.sleep(max(0.0, PERIOD_SECONDS - (time.monotonic() - started)))


def answer(_served, words):
    global percent
    if words[0] == "burn":
        wanted = int(words[1])
        if not 0 <= wanted <= 100:
            raise ValueError(wanted)
        with demand:
            percent = wanted
            demand.notify_all()
    elif words[0] != "work":
        raise ValueError(words[0])
    steps, state = progress
    return f"{percent} {steps} {state:016x}"


sys.setswitchinterval(0.001)  # answers must not wait 5 ms for the burning thread
threading.Thread(target=burn, daemon=True).start()
serve(lambda: answer)
