"""Virtual environments for what must not live beside Airflow. Made once per lock; a half-made one is made again."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sandbox.stack.errors import ToolMissing
from sandbox.stack.home import folder, locked, write_whole

_STAMP = "complete"  # written last: an environment without it was interrupted


def ensure_environment(
    home: Path, name: str, requirements: Path, *, tell: Callable[[str], None] = lambda _: None
) -> Path:
    """The Python interpreter of ``<home>/<name>``, holding exactly what ``requirements`` locks.

    Args:
        tell: hears, in words, that an installation takes place.

    Raises:
        ToolMissing: this Python can't make environments, or a package could not be installed.
    """
    target = folder(home, ".") / name
    python = target / "bin" / "python"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    with locked(home, name):
        stamp = target / _STAMP
        if stamp.exists() and stamp.read_text() == wanted and python.exists():
            return python
        tell(f"installing packages into {target}")
        shutil.rmtree(target, ignore_errors=True)
        log = folder(home, "logs") / f"install-{name.strip('.')}.log"
        uv = Path(sys.executable).parent / "uv"
        if uv.exists():
            steps = [[str(uv), "venv", "-q", "-p", sys.executable, str(target)]]
            steps.append([str(uv), "pip", "install", "-q", "-p", str(python), "-r", str(requirements)])
        else:
            steps = [[sys.executable, "-m", "venv", str(target)]]
            steps.append([str(python), "-m", "pip", "install", "--no-deps", "-q", "-r", str(requirements)])
        with log.open("wb") as output:
            for step in steps:
                if subprocess.run(step, stdout=output, stderr=output, check=False).returncode:  # noqa: S603 - own words
                    last = log.read_text(errors="replace").strip().splitlines()[-4:]
                    raise ToolMissing(f"Installing {name} failed (see {log}): " + " / ".join(last))
        write_whole(stamp, wanted)
    return python
