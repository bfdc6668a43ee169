"""A Singer pair: tap-salesforce into meltanolabs-target-postgres, piped as Singer has it, on the accounts of the floor.

The tap reads by REST, 2,000 records a page: the Bulk API it knows is the first one, which the local org has not. The target is given
what is fastest (`use_copy`) and merges by the tap's key.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import psycopg

from sandbox.stack.postgres import Server
from tests.benchmarks.floor import FIELDS
from tests.benchmarks.place import FLOOR, Place
from tests.benchmarks.report import Figure, Report, Watch
from tests.outside.tool import Tool, install, login

SCHEMA = "singer"


def measure(where: Place, report: Report, part: str) -> Figure:
    """Seconds from starting both programs until every account is in PostgreSQL. Raises RuntimeError when that is not the end."""
    folder = where.home / "singer"
    folder.mkdir()
    tap = Tool(python=install("tap-salesforce"), folder=folder, org=where.org)
    target = install("target-postgres").with_name("target-postgres")
    dsn = where.fresh(FLOOR)
    _configure(tap, where.server)
    reading = [str(tap.python.with_name("tap-salesforce")), "--config", "tap.json", "--properties", "chosen.json"]
    watch = Watch()
    with (folder / "tap.log").open("wb") as tapped, (folder / "target.log").open("wb") as written:
        source = subprocess.Popen(reading, cwd=folder, env=tap.environment, stdout=subprocess.PIPE, stderr=tapped)
        sink = subprocess.Popen(
            [str(target), "--config", "target.json"], cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)}, stdin=source.stdout, stdout=subprocess.DEVNULL, stderr=written,
        )  # fmt: skip
        assert source.stdout
        source.stdout.close()  # the target's alone, so that the tap hears when it dies
        ended = sink.wait(), source.wait()
    took, cpu = watch.seconds, watch.cpu
    with psycopg.connect(dsn) as session:
        found = session.execute('SELECT count(*) FROM singer."Account"').fetchone() if ended == (0, 0) else None
    if found != (where.accounts,):
        logs = "".join((folder / name).read_text(errors="replace")[-2000:] for name in ("tap.log", "target.log"))
        raise RuntimeError(f"the Singer pair ended with {ended}, {found}:\n{logs}")
    return report.add(part, "tap-salesforce | target-postgres", took, where.accounts, cpu=cpu)


def _configure(tap: Tool, server: Server) -> None:
    """Write tap.json, chosen.json (the fields of the floor, of every account) and target.json."""
    config = login(tap.org) | {
        "start_date": "2000-01-01T00:00:00Z",
        "api_type": "REST",
        "select_fields_by_default": "false",
    }
    _write(tap.folder / "tap.json", config)
    catalog = json.loads(tap.run("tap-salesforce", "--config", "tap.json", "--discover"))
    [accounts] = [stream for stream in catalog["streams"] if stream["stream"] == "Account"]
    for item in accounts["metadata"]:
        item["metadata"]["selected"] = not item["breadcrumb"] or item["breadcrumb"][-1] in FIELDS
    _write(tap.folder / "chosen.json", {"streams": [accounts]})
    database = {
        "host": server.host, "port": server.port, "user": server.user, "password": server.password, "database": FLOOR,
        "default_target_schema": SCHEMA, "use_copy": True,
    }  # fmt: skip
    _write(tap.folder / "target.json", database)


def _write(path: Path, body: object) -> None:
    path.write_text(json.dumps(body), encoding="utf-8")
    path.chmod(0o600)
