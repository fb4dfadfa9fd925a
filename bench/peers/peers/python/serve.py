"""A contestant's end of bench/peers/protocol.ts, for those that run in Python."""

import base64
import json
import resource
import sys
from array import array
from pathlib import Path

REPLY_MARK = "\x02"


def serve(works):
    """The job is the last argument; a work gives (setup, check: list of numbers, measure: () → dict)."""
    job = json.loads(sys.argv[-1])
    try:
        setup, check, measure = works[job["work"]](job)
        values = array("f", check)
        if sys.byteorder == "big":
            values.byteswap()
        reply({"type": "ready", "setup": setup, "check": base64.b64encode(values.tobytes()).decode()})
        for _ in sys.stdin:
            reply({"type": "round", **measure(), "peakBytes": peak_bytes()})
    except Exception as error:
        reply({"type": "failure", "reason": f"{type(error).__name__}: {error}"})


def reply(message):
    print(REPLY_MARK + json.dumps(message), flush=True)


def peak_bytes():
    """Linux's getrusage counts what the parent had resident when it forked; /proc does not."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
