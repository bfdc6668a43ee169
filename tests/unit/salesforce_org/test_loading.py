"""Loading records from files."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.salesforce.loading import LoadError, load
from sandbox.salesforce.org import Org


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_tree_with_references_children_and_csv(org: Org, admin: Any, tmp_path: Path) -> None:
    contact = {"attributes": {"type": "Contact"}, "LastName": "Doe"}
    tree = {
        "records": [
            {
                "attributes": {"type": "Account", "referenceId": "top"},
                "Name": "top",
                "Contacts": {"records": [contact]},
            },
            {"attributes": {"type": "Account", "referenceId": "low"}, "Name": "low", "ParentId": "@top"},
            {"attributes": {"type": "ERP_Account__c"}, "Key__c": "k", "Account__c": "@low", "Active__c": True},
        ]
    }
    paths = [
        written(tmp_path / "a.json", tree),
        written(tmp_path / "b.jsonl", json.dumps(contact | {"LastName": "Roe", "AccountId": "@low"}) + "\n"),
        written(tmp_path / "Account.csv", 'Name,CreatedDate\n"x, y",2020-01-02T03:04:05Z\n'),
    ]
    assert load(org, paths) == 6
    assert admin.column("SELECT Parent.Name FROM Account WHERE Name = 'low'")[0]["Name"] == "top"
    assert [
        r["Account"]["Name"] for r in admin.run("SELECT Account.Name FROM Contact ORDER BY LastName")["records"]
    ] == ["top", "low"]
    assert admin.column("SELECT CreatedDate FROM Account WHERE Name = 'x, y'") == ["2020-01-02T03:04:05.000+0000"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", {"records": [{"attributes": {"type": "Account"}}]}, "REQUIRED_FIELD_MISSING"),
        ("a.json", {"records": [{"attributes": {"type": "Nope"}}]}, "no object Nope"),
        ("a.json", "{", "Expecting"),
        ("Nope.csv", "Name\n", "no object Nope"),
        ("Account.csv", "Nope\nx\n", "Field name not found : Nope"),
    ],
)
def test_a_bad_file_is_named_and_leaves_nothing(
    org: Org, admin: Any, tmp_path: Path, name: str, content: Any, reason: str
) -> None:
    with pytest.raises(LoadError, match=reason):
        load(org, [written(tmp_path / name, content)])
    assert admin.run("SELECT COUNT() FROM Account")["totalSize"] == 0
