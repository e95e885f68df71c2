"""`python -m chaos`: every part, or those that are named; prints what each has shown."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

#: Part → how often it does what it does.
PARTS = {"kills": 200, "ends": 3}


def main() -> None:
    parser = argparse.ArgumentParser(prog="nox -s chaos --", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, help="instead of each part's own number")
    given = parser.parse_args()
    for part in given.parts or PARTS:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"chaos-{part}-") as folder:
            times = given.times or PARTS[part]
            told = importlib.import_module(f"chaos.{part}").run(Path(folder), given.seed, times)
        print(f"{part}: {told} ({time.monotonic() - started:.0f} s)", flush=True)


main()
