"""The command line of the local Salesforce org."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.salesforce.loading import LoadError, load
from sandbox.salesforce.org import Org, Settings
from sandbox.salesforce.schema.formula_functions import FormulaError
from sandbox.salesforce.schema.source_xml import MetadataError
from sandbox.salesforce.server import serve
from sandbox.salesforce.store import StoreInUse

_METADATA = Path(__file__).resolve().parents[2] / "salesforce_metadata"


def _home() -> Path:
    return Path(os.environ.get("ACCORD_HOME", ".local"))


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.salesforce",
        description="A local Salesforce org: OAuth, REST, composite and Bulk API 2.0 over HTTP and HTTPS on 127.0.0.1.",
        epilog="Secrets are taken from SANDBOX_SALESFORCE_CLIENT_ID, _CLIENT_SECRET, _ADMIN_CLIENT_ID and "
        "_ADMIN_CLIENT_SECRET; the defaults are in the README beside this module.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=_home() / "salesforce" / "org.sqlite",
        metavar="FILE",
        help="the org's records (SQLite); made if missing (default: %(default)s)",
    )
    parser.add_argument(
        "--http-port", type=int, default=8180, metavar="PORT", help="0: any free one (default: %(default)s)"
    )
    parser.add_argument("--https-port", type=int, default=8143, metavar="PORT", help="(default: %(default)s)")
    parser.add_argument(
        "--proxy-port",
        type=int,
        default=8181,
        metavar="PORT",
        help="CONNECT proxy that leads *.salesforce.com here (default: %(default)s)",
    )
    parser.add_argument(
        "--metadata",
        type=Path,
        default=_METADATA,
        metavar="DIR",
        help="a Salesforce project in source format (default: the one of this repository)",
    )
    parser.add_argument(
        "--load",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="records to load into a new org: .json (sObject tree), .jsonl or <Object>.csv",
    )
    parser.add_argument("--port-file", type=Path, metavar="FILE", help="write the ports as JSON once the org answers")
    parser.add_argument("--jwt-key", type=Path, metavar="FILE", help="public key or certificate (PEM) for JWT bearer")
    parser.add_argument(
        "--api-limit", type=int, default=100_000, metavar="N", help="API requests a day (default: %(default)s)"
    )
    return parser.parse_args(given)


def _spare_the_collector() -> None:
    # A page is thousands of records, a batch thousands of drafts, none of them in a cycle: looked through every
    # 700 objects, they cost a tenth of the time.
    gc.freeze()
    gc.set_threshold(100_000)


async def _serve(org: Org, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(
        org,
        http_port=options.http_port,
        https_port=options.https_port,
        proxy_port=options.proxy_port,
        port_file=options.port_file,
        stop=stop,
    )


def main(given: Sequence[str] | None = None) -> int:
    """Run the org until interrupted; return the exit status."""
    options = arguments(given)
    try:
        org = Org(
            Settings.from_environment(
                data=options.data, metadata=options.metadata, jwt_key=options.jwt_key, api_limit=options.api_limit
            )
        )
        new = org.open()
        try:
            if options.load and new:
                load(org, options.load)
            elif options.load:
                print(f"{options.data} exists already: nothing loaded", flush=True)
            _spare_the_collector()
            asyncio.run(_serve(org, options))
        finally:
            org.close()
    except (StoreInUse, MetadataError, FormulaError, LoadError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
