"""The number of examples of property tests that take long."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

FAULTS = os.environ.get("HYPOTHESIS_PROFILE") == "faults"


def examples(count: int) -> settings:
    """`count` fixed examples; under the profile `faults`, twenty times as many random ones."""
    return settings(
        max_examples=count * 20 if FAULTS else count,
        derandomize=not FAULTS,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
