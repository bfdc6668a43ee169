# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""REST: what the org is: versions, objects, limits, counts."""

from sandbox.salesforce.fronts.bulk import DAILY_BATCHES
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import describe
from sandbox.salesforce.schema.permissions import Actor

_RELEASES = {
    66: "Spring '26",
    65: "Winter '26",
    64: "Summer '25",
    63: "Spring '25",
    62: "Winter '25",
    61: "Summer '24",
    60: "Spring '24",
    59: "Winter '24",
    58: "Summer '23",
    57: "Spring '23",
}
OLDEST, NEWEST = 31, 66


def versions(org: Org, call: Call) -> Answer:
    """List the API versions."""
    return Answer(
        data=[
            {
                "label": _RELEASES.get(number, f"v{number}"),
                "url": f"/services/data/v{number}.0",
                "version": f"{number}.0",
            }
            for number in range(OLDEST, NEWEST + 1)
        ]
    )


def resources(org: Org, call: Call, actor: Actor) -> Answer:
    """List the resources of a version."""
    names = ("sobjects", "query", "queryAll", "limits", "composite", "jobs")
    return Answer(data={"identity": f"{call.origin}/id/{actor.user_id}"} | {n: f"{call.base}/{n}" for n in names})


def describe_global(org: Org, call: Call, actor: Actor) -> Answer:
    """List the objects the user may see."""
    seen = sorted((o for o in org.schema.objects.values() if actor.permissions.allows(o, "read")), key=lambda o: o.name)
    return Answer(
        data={
            "encoding": "UTF-8",
            "maxBatchSize": 200,
            "sobjects": [describe.summary(o, actor, call.base) for o in seen],
        }
    )


def describe_object(org: Org, call: Call, actor: Actor, name: str) -> Answer:
    """Describe one object."""
    obj = org.object(actor, name)
    return Answer(data=describe.describe(org.schema, obj, actor, call.base, org.countries.labels))


def basic(org: Org, call: Call, actor: Actor, name: str) -> Answer:
    """Answer GET of an object: its summary."""
    return Answer(
        data={"objectDescribe": describe.summary(org.object(actor, name), actor, call.base), "recentItems": []}
    )


def limits(org: Org, call: Call, actor: Actor) -> Answer:
    """Show the daily limits and what is left of them."""
    used = org.usage
    figures = {
        "DailyApiRequests": (org.settings.api_limit, used.requests),
        "DailyBulkApiBatches": (DAILY_BATCHES, used.bulk_batches),
        "DailyBulkV2QueryJobs": (10_000, used.query_jobs),
        "DailyBulkV2QueryFileStorageMB": (976_562, 0),
        "DailyAsyncApexExecutions": (250_000, 0),
        "ConcurrentAsyncGetReportInstances": (200, 0),
        "DataStorageMB": (10_240, 0),
        "FileStorageMB": (10_240, 0),
        "DailyStreamingApiEvents": (100_000, 0),
        "MassEmail": (5_000, 0),
        "SingleEmail": (5_000, 0),
    }
    return Answer(data={name: {"Max": top, "Remaining": max(0, top - spent)} for name, (top, spent) in figures.items()})


def record_count(org: Org, call: Call, actor: Actor) -> Answer:
    """Count the live records of objects."""
    wanted = [name for name in call.query.get("sObjects", "").split(",") if name]
    objects = [o for o in org.schema.objects.values() if actor.permissions.allows(o, "read")]
    if wanted:
        objects = [o for name in wanted if (o := org.schema.object(name)) and actor.permissions.allows(o, "read")]
    counts = [
        {
            "count": org.store.connection.execute(f'SELECT count(*) FROM "{o.name}" WHERE IsDeleted = 0').fetchone()[0],
            "name": o.name,
        }
        for o in objects
    ]
    return Answer(data={"sObjects": counts})
