"""The one command of the benchmarks: ``python benchmarks/run.py``; README.md says what it measures."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from benchmarks.command import main

    sys.exit(main())
