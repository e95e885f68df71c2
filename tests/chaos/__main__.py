"""`python -m chaos`: every part, or those that are named; prints what each has shown."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from chaos import crowd, ends, infra, kills, noise, wreck

#: Part → what does it, and how often.
PARTS = {
    "kills": (kills.run, 200),
    "signals": (kills.signals, 60),
    "ends": (ends.run, 3),
    "wreck": (wreck.run, 5),
    "crowd": (crowd.run, 6),
    "noise": (noise.run, 1000),
    "infra": (infra.run, 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="nox -s chaos --", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, help="instead of each part's own number")
    given = parser.parse_args()
    for part in given.parts or PARTS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"chaos-{part}-") as folder:
            act, times = PARTS[part]
            told = act(Path(folder), given.seed, given.times or times)
        print(f"{part}: {told} ({time.monotonic() - started:.0f} s)", flush=True)


main()
