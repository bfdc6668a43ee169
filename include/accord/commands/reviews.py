"""`accord reviews`: what the gates found, and what its owners do about it."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

from accord.categories import REVIEW_STATES, Queue
from accord.commands.common import print_json, print_rows

if TYPE_CHECKING:
    from accord.commands.common import Commands
    from accord.hub.gate_reports import GateReport, GateStanding
    from accord.runtime import Accord


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """`accord reviews`."""
    reviews = commands.add_parser("reviews", help="what the gates found, and what its owners do about it")
    actions = reviews.add_subparsers(required=True, metavar="ACTION")
    gates = actions.add_parser("gates", parents=[common], help="every gate as its last run left it, the worst first")
    gates.set_defaults(command=_gates)
    report = actions.add_parser("report", parents=[common], help="what one gate found in one run, failures first")
    report.add_argument("run", type=int, metavar="RUN", help="its number")
    report.add_argument("gate", choices=("source", "canonical"))
    report.set_defaults(command=_report)

    weekly = actions.add_parser(
        "digest", parents=[common], help="what the owner's next digest would say; nothing is mailed"
    )
    weekly.add_argument("owner", choices=[str(queue) for queue in Queue])
    weekly.set_defaults(command=_digest)

    listed = actions.add_parser("list", parents=[common], help="rules that fail: open ones first")
    listed.add_argument("--owner", choices=[str(queue) for queue in Queue])
    listed.add_argument("--flow")
    listed.add_argument("--state", choices=REVIEW_STATES)
    whose = listed.add_mutually_exclusive_group()
    whose.add_argument("--of", metavar="PERSON", dest="assignee", help="assigned to this person")
    whose.add_argument("--of-nobody", action="store_const", const="", dest="assignee", help="assigned to nobody")
    listed.add_argument("--settled", action="store_true", help="those that are over instead")
    listed.set_defaults(command=_list)

    show = actions.add_parser("show", parents=[common], help="one: what it means, some records, comments, history")
    show.set_defaults(command=_show)
    acknowledge = actions.add_parser("acknowledge", parents=[common], help="see to it")
    acknowledge.set_defaults(command=_acknowledge)
    assign = actions.add_parser("assign", parents=[common], help="give it to somebody")
    to = assign.add_mutually_exclusive_group(required=True)
    to.add_argument("--to", metavar="PERSON")
    to.add_argument("--to-nobody", action="store_true")
    assign.set_defaults(command=_assign)
    comment = actions.add_parser(
        "comment", parents=[common], help="say something about it; name no person and no value"
    )
    accept = actions.add_parser(
        "accept", parents=[common], help="live with it for some days: it is not open; what it holds stays held"
    )
    accept.add_argument("--days", type=int, required=True, help="for how long (1 to 90)")
    accept.add_argument("--why", required=True, help="the reason; it is kept, and shown")
    accept.set_defaults(command=_accept)
    reopen = actions.add_parser("reopen", parents=[common], help="take acknowledgement and acceptance back")
    reopen.set_defaults(command=_reopen)
    for action in (show, acknowledge, assign, comment, accept, reopen):
        action.add_argument("review", type=int, metavar="REVIEW", help="its number")
    comment.add_argument("text", metavar="TEXT")
    comment.set_defaults(command=_comment)


def _gates(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.gate_reports import standings

    with accord.hub.session() as session:
        found = standings(session)
    return print_rows(found, _gate_line, empty="No gate has judged anything yet.", as_json=asked.json)


def _gate_line(one: GateStanding) -> str:
    from accord.quality.report import money

    trend = " ".join(str(point.quarantined) for point in one.trend)
    said = [f"{one.verdict:<21}{one.flow} {one.gate}: run {one.run}, {one.records:,} records, {one.quarantined:,} fail"]
    said += [f"{money(one.at_risk)} at risk"] if one.at_risk else []
    said += [f"{one.open} open review(s)"] if one.open else []
    return ", ".join(said) + f"; held per run: {trend}"


def _report(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.gate_reports import gate_report
    from accord.quality.text import report_text

    with accord.hub.session() as session:
        found: GateReport = gate_report(session, asked.run, asked.gate)
    if asked.json:
        print_json(found.as_dict())
    else:
        print(report_text(found))
    return 0


def _digest(accord: Accord, asked: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from accord.quality.digest import digest

    alerting = accord.alerting
    told = digest(
        accord.hub, asked.owner, until=datetime.now(UTC), environment=alerting.environment, site=alerting.site
    )
    if asked.json:
        print_json(told)
    else:
        print("There is nothing to say: no mail would go out." if told.empty else told.text)
    return 0


def _list(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.reviews import Wanted, reviews

    wanted = Wanted(
        owner=asked.owner, flow=asked.flow, state=asked.state, assignee=asked.assignee, settled=asked.settled
    )
    return print_rows(reviews(accord.hub, wanted), _line, empty="No review.", as_json=asked.json)


def _line(row: dict[str, Any]) -> str:
    from accord.quality.report import money

    parts = [f"{row['id']:>6}  {row['state']:<13}{row['severity']:<9} {row['flow']} {row['gate']}: {row['title']}"]
    parts.append(f"{row['failed']:,} of {row['checked']:,} failed in run {row['run']}")
    parts += [f"{row['held']:,} held"] if row["held"] else []
    parts += [money(row["at_risk"])] if row["at_risk"] else []
    parts.append(row["owner"] + (f", {row['assignee']}" if row["assignee"] else ""))
    if row["state"] == "accepted":
        parts.append(f"until {row['accepted_until']:%Y-%m-%d} by {row['accepted_by']}")
    elif row["accepted_until"] and row["state"] == "open":
        parts.append(f"ACCEPTANCE EXPIRED {row['accepted_until']:%Y-%m-%d}")
    return ", ".join(parts)


def _show(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.reviews import show
    from accord.quality.report import fields_said

    row = show(accord.hub, asked.review)
    if asked.json:
        print_json(row)
        return 0
    print(_line(row).lstrip())
    print(
        f"\n  means     {row['consequence']}\n  category  {row['category']}\n  since     {row['opened']:%Y-%m-%d %H:%M}Z"
    )
    print(f"  last      {row['seen']:%Y-%m-%d %H:%M}Z: {row['message'] or 'see the report'}")
    print(f"  report    accord reviews report {row['run']} {row['gate']}")
    print(f'  records   accord exceptions list --flow {row["flow"]} --category "{row["category"]}"')
    if row["accepted_until"]:
        failed = f"{row['accepted_failed']:,} failing then"
        print(
            f"  accepted  until {row['accepted_until']:%Y-%m-%d %H:%M}Z by {row['accepted_by']}, {failed}: {row['accepted_why']}"
        )
    for one in row["samples"]:
        print(f"  sample    {one['key']} ({one['correlation']}) {fields_said(one)}".rstrip())
    for one in row["comments"]:
        print(f"  {one['at']:%Y-%m-%d %H:%M}Z {one['who']}: {one['text']}")
    for one in row["history"]:
        print(f"  {one['at']:%Y-%m-%d %H:%M}Z {one['what']} by {one['who']}")
    return 0


def _acknowledge(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.reviews import acknowledge

    acknowledge(accord.hub, asked.review, who=getpass.getuser())
    return _show(accord, asked)


def _assign(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.reviews import assign

    assign(accord.hub, asked.review, to=asked.to, who=getpass.getuser())
    return _show(accord, asked)


def _comment(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.reviews import comment

    comment(accord.hub, asked.review, text=asked.text, who=getpass.getuser())
    return _show(accord, asked)


def _accept(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.reviews import accept

    accept(accord.hub, asked.review, days=asked.days, why=asked.why, who=getpass.getuser())
    return _show(accord, asked)


def _reopen(accord: Accord, asked: argparse.Namespace) -> int:
    from accord.hub.reviews import reopen

    reopen(accord.hub, asked.review, who=getpass.getuser())
    return _show(accord, asked)
