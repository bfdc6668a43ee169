#!/usr/bin/env python3
"""The ring rule: dags → accord_airflow → accord; nobody imports the sandbox.

Reads the imports of every Python file (anywhere in it, also inside functions and type-checking blocks) and prints those
a ring may not have. A DAG file is the strictest: it declares, so a list of what it may import is short enough to be
written here.

    python .ci/rings.py [ROOT]        exit status 1 when a rule is broken, one line per import
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    folder: str
    why: str
    never: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    except_in: tuple[str, ...] = ()

    def allows(self, module: str) -> bool:
        if self.only:
            return _within(module, self.only) or module.partition(".")[0] in sys.stdlib_module_names
        return not _within(module, self.never)


RINGS = (
    Ring(
        folder="dags",
        only=("airflow.sdk", "accord_airflow", "accord.flows"),
        why="a DAG file declares: it imports airflow.sdk, accord_airflow and names from accord.flows",
    ),
    Ring(
        folder="plugins",
        never=("sandbox", "dags"),
        why="what runs in production never depends on the sandbox or on a DAG file",
    ),
    Ring(
        folder="include/accord",
        never=("airflow", "accord_airflow", "accord_plugin", "sandbox", "dags"),
        why="the domain knows neither Airflow nor the sandbox",
    ),
    Ring(
        folder="include/sandbox",
        never=("airflow", "accord_airflow", "accord"),
        except_in=("include/sandbox/demo",),
        why="the sandbox stands in for other people's systems: only the demo knows Accord",
    ),
)


def _within(module: str, names: tuple[str, ...]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def imports(source: str, filename: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import; `from a import b` counts as `a.b`, so that submodules are seen."""
    for node in ast.walk(ast.parse(source, filename)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def broken_rules(root: Path) -> Iterator[str]:
    for ring in RINGS:
        for path in sorted(root.glob(f"{ring.folder}/**/*.py")):
            name = path.relative_to(root).as_posix()
            if name.startswith(tuple(f"{folder}/" for folder in ring.except_in)):
                continue
            for line, module in imports(path.read_text(encoding="utf-8"), name):
                if not ring.allows(module):
                    yield f"{name}:{line}: imports {module}: {ring.why}"


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = list(broken_rules(root))
    print("\n".join(found) if found else "Rings: no import crosses a ring the wrong way.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
