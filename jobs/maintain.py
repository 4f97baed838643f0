"""Puts tables' files in order, as `goldsmith table maintain` does: the same arguments, the same exit codes.

spark-submit jobs/maintain.py --profile cluster silver --dry-run
"""

import sys

from goldsmith.cli.main import run

if __name__ == "__main__":
    run(["table", "maintain", *sys.argv[1:]])
