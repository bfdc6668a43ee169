"""Programs nobody here wrote, each in an environment of its own, run unchanged against the local org.

They are told what they would be told of a real org: a refresh token and the client's id and secret; the machine's proxy
and its certificate lead their ``https://*.salesforce.com`` to the local one.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.stack.environments import ensure_environment
from sandbox.stack.home import default_home
from tests.salesforce_org import Org

_LOCKS = Path(__file__).with_name("tools")
_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """An installed tool: `python` is its interpreter, `folder` where it runs (and its HOME)."""

    python: Path
    folder: Path
    org: Org

    @property
    def environment(self) -> dict[str, str]:
        """What leads a program to the local org."""
        return {
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "HTTPS_PROXY": self.org.proxy,
            "REQUESTS_CA_BUNDLE": str(self.org.certificate),
        }

    def run(self, command: str, *arguments: str, **environment: str) -> str:
        """Run one of the tool's programs to its end and return what it printed.

        Raises:
            AssertionError: It ended badly; the message is what it said.
        """
        done = subprocess.run(
            [str(self.python.parent / command), *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
        return done.stdout


def login(org: Org) -> dict[str, str]:
    """Return what a tool signs in with, by the names its configuration has for it."""
    return {"refresh_token": org.refresh_token(), "client_id": org.admin_id, "client_secret": org.admin_secret}


def install(name: str) -> Path:
    """Return the interpreter of the environment that ``tools/<name>.lock`` describes, made at need."""
    return ensure_environment(default_home(), f"{name}-venv", _LOCKS / f"{name}.lock")
