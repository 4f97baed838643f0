#!/usr/bin/env python3
"""Asks Airflow's API for the health of one of its parts. Usage: health.py metadatabase|scheduler|dag_processor|triggerer

Ends with 0 where it is healthy, else with 1 and the reason.
"""

import json
import os
import sys
import urllib.request
from urllib.parse import urljoin

SECONDS = 4


def check(part: str) -> None:
    """Raises where the part is not healthy, or the API does not answer."""
    url = urljoin(os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"], "/api/v2/monitor/health")
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        status = json.load(answer)[part]["status"]
    if status != "healthy":
        raise RuntimeError(f"{part} is {status}")


if __name__ == "__main__":
    try:
        check(sys.argv[1])
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
