"""Great Expectations' Data Docs: one page per gate and run, and an index.

Pages need nothing from elsewhere (`accord.quality.offline`) and hold counts, never values. A gate leaves its result as a small file;
building pages is a step of its own, because each build writes the index again.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accord.quality.gate import Judgement, RuleResult

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext

RESULTS = "data_docs_results"
SITE = "data_docs"
KEEP = 200  # pages; the hub keeps the counts of every run


def store_result(judgement: Judgement, *, flow: str, run_name: str, folder: Path) -> None:
    """Leave `judgement` below `folder` for the next `build_docs`."""
    from great_expectations.core import ExpectationSuiteValidationResult, RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    now = datetime.now(UTC)
    run = RunIdentifier(run_name=f"{flow}--{run_name}".replace("/", "-"), run_time=now)
    suite = f"{judgement.object}.{judgement.gate}"
    held = sum(1 for result in judgement.results if _holds(result))
    count = len(judgement.results)
    body = ExpectationSuiteValidationResult(
        success=held == count,
        results=[_answer(result) for result in judgement.results],
        suite_name=suite,
        statistics={
            "evaluated_expectations": count,
            "successful_expectations": held,
            "unsuccessful_expectations": count - held,
            "success_percent": 100 * held / count if count else None,
        },
        meta={
            "run_id": run.to_json_dict(),
            "validation_time": now.isoformat(),
            "verdict": str(judgement.verdict),
            "active_batch_definition": {"batch_identifiers": {}},
            "batch_markers": {},
            "batch_spec": {},
        },
    )
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(name=suite), run_id=run, batch_identifier=judgement.gate
    )
    _context(str(folder)).validation_results_store.set(key, body)


def build_docs(folder: str | Path, *, keep: int = KEEP) -> str:
    """Build the pages of every result that has none yet, and the index; results and pages older than the newest `keep` go.

    Args:
        folder: the reports' folder, on a local disk. Two processes may build at once: one waits for the other.
        keep: how many pages stay.

    Returns:
        The path of the index.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    context = _context(str(root))
    store = context.validation_results_store
    index = root / SITE / "index.html"
    with _alone(root / f"{SITE}.lock"):
        keys: list[Any] = sorted(store.list_keys(), key=_made, reverse=True)
        for key in keys[keep:]:
            store.remove_key(key)  # type: ignore[no-untyped-call]  # Great Expectations leaves it untyped; the build drops the page
        fresh = [key for key in keys[:keep] if not _page(root, key).exists()]
        if fresh or len(keys) > keep or not index.exists():
            # without a list of pages it would build every one again
            context.build_data_docs(resource_identifiers=fresh or keys[:1] or None)
    return str(index)


def _made(key: Any) -> str:
    return str(key.run_id.run_time)


def _page(root: Path, key: Any) -> Path:
    return root.joinpath(SITE, "validations", *key.to_tuple()).with_suffix(".html")


def _holds(result: RuleResult) -> bool:
    return not result.failed and not result.errored


def _answer(result: RuleResult) -> Any:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    notes = [f"Owner: {result.queue}. Category: {result.category}. Rule {result.rule}."]
    if not _holds(result):
        notes = [result.message, result.consequence, *notes]
    configuration = ExpectationConfiguration(
        type=result.expectation,
        kwargs=dict(result.arguments),
        meta={"rule": result.rule},
        description=f"{result.part}: {result.title}. {' '.join(notes)}",
        severity=FailureSeverity(result.severity),
    )
    counts = {
        "element_count": result.checked,
        "unexpected_count": result.failed,
        "unexpected_percent": 100 * result.failed / result.checked if result.checked else 0.0,
    }
    return ExpectationValidationResult(
        success=_holds(result),
        expectation_config=configuration,
        result=counts,
        exception_info={
            "raised_exception": result.errored,
            "exception_message": result.message if result.errored else None,
            "exception_traceback": None,
        },
    )


@cache
def _context(folder: str) -> EphemeralDataContext:
    """One context per process and folder; it sends nothing anywhere."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, ProgressBarsConfig

    def files(name: str) -> dict[str, str]:
        return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(Path(folder, name))}

    def view(name: str) -> dict[str, str]:
        return {"module_name": "accord.quality.offline", "class_name": name}

    config = DataContextConfig(
        config_version=4.0,
        stores={
            "expectations_store": {"class_name": "ExpectationsStore"},
            "checkpoint_store": {"class_name": "CheckpointStore"},
            "validation_definition_store": {"class_name": "ValidationDefinitionStore"},
            "validation_results_store": {"class_name": "ValidationResultsStore", "store_backend": files(RESULTS)},
        },
        expectations_store_name="expectations_store",
        checkpoint_store_name="checkpoint_store",
        validation_results_store_name="validation_results_store",
        data_docs_sites={
            "accord": {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": files(SITE),
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "view": view("OfflineIndex")},
                "site_section_builders": {"validations": {"view": view("OfflinePage")}},
            }
        },
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
