"""What "test connection" says: the lines of `accord doctor`."""

from __future__ import annotations

from collections.abc import Callable

from accord.errors import AccordError
from accord.objects import OBJECTS
from accord.ports import System


def verdict(open_system: Callable[[], System]) -> tuple[bool, str]:
    """Whether the system is well, and the findings with their cures if it is not."""
    try:
        system = open_system()
        try:
            checks = list(system.check(OBJECTS))
        finally:
            system.close()
    except AccordError as error:
        return False, str(error)
    wrong = [f"{check.subject}: {check.found} {check.cure}".strip() for check in checks if not check.ok]
    return (False, "\n".join(wrong)) if wrong else (True, f"All {len(checks)} checks passed.")
