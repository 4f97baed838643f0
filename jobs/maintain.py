"""Compacts and vacuums tables, as `goldsmith table maintain`, with the same arguments and exit codes.

spark-submit jobs/maintain.py --profile cluster silver --dry-run
"""

import sys

from goldsmith.cli.main import run

if __name__ == "__main__":
    run(["table", "maintain", *sys.argv[1:]])
