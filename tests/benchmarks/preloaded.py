"""Imported by the process that forks the steps, as an executor's parent does what docs/scale-out.md has it do."""

import tests.benchmarks.steps  # noqa: F401 - what a step is found in
from accord.preload import preload

preload()
