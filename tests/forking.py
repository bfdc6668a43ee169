"""The process that others are forked from."""

from __future__ import annotations

import os
import sys
from multiprocessing import forkserver


def ready() -> None:
    """Have it run. It must find what we find, and looks for it in its environment."""
    paths = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        if paths is not None:
            os.environ["PYTHONPATH"] = paths
