"""Mutations of Goldsmith's source. Each must be found by a test or by seeds.

`python -m differential.mutating` applies them.
"""

from __future__ import annotations

from differential.mutation import Mutation
from differential.mutations_of_checks import CHECKS
from differential.mutations_of_commands import COMMANDS
from differential.mutations_of_loads import LOADS
from differential.mutations_of_quarantine import QUARANTINE
from differential.mutations_of_values import VALUES

MUTATIONS: tuple[Mutation, ...] = (*VALUES, *QUARANTINE, *LOADS, *CHECKS, *COMMANDS)
