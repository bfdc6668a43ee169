"""Duplicate and matching rules of the metadata."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.salesforce.org import Org, Settings
from sandbox.salesforce.schema.source_xml import MetadataError
from tests.unit.salesforce_org.conftest import METADATA, Api

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def _package(root: Path, *, method: str = "Exact") -> None:
    package = root / "force-app/main/default"
    items = "".join(
        f"<matchingRuleItems><fieldName>{name}</fieldName><matchingMethod>{method}</matchingMethod></matchingRuleItems>"
        for name in ("Name", "Website")
    )
    one = f"<fullName>Same_Site</fullName>{items}"
    two = "<fullName>Same_Number</fullName><matchingRuleItems><fieldName>AccountNumber</fieldName>"
    two += "<matchingMethod>Exact</matchingMethod></matchingRuleItems>"
    rules = f"<matchingRules>{one}</matchingRules><matchingRules>{two}</matchingRules>"
    _write(package / "matchingRules/Account.matchingRule-meta.xml", f"<MatchingRules {_NS}>{rules}</MatchingRules>")
    for name, action in (("Same_Site", "Allow"), ("Same_Number", "Block")):
        match = f"<duplicateRuleMatchRules><matchingRule>{name}</matchingRule></duplicateRuleMatchRules>"
        body = f"<actionOnInsert>{action}</actionOnInsert><isActive>true</isActive>{match}"
        body += "<operationsOnInsert>Alert</operationsOnInsert>"
        path = package / f"duplicateRules/Account.{name}.duplicateRule-meta.xml"
        _write(path, f"<DuplicateRule {_NS}>{body}</DuplicateRule>")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_HEAD + text, encoding="utf-8")


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    root = shutil.copytree(METADATA, tmp_path / "metadata")
    _package(root)
    made = Org(Settings(data=tmp_path / "org.sqlite", metadata=root))
    made.open()
    yield made
    made.close()


def test_a_duplicate_is_refused_unless_the_client_insists(admin: Api) -> None:
    acme = {"Name": "Acme", "Website": "https://acme.example"}
    record = admin.create("Account", **acme)
    again: dict[str, Any] = {"Name": "ACME", "Website": "https://acme.example"}
    answer = admin.send("POST", "/sobjects/Account", again)
    assert (answer.status, answer.data[0]["errorCode"]) == (400, "DUPLICATES_DETECTED")
    assert answer.data[0]["message"] == "Use one of these records?"
    listed = {"records": [{"attributes": {"type": "Account"}, **again}]}
    [result] = admin.send("POST", "/composite/sobjects", listed).data
    assert result["errors"][0]["statusCode"] == "DUPLICATES_DETECTED"
    insist = {"sforce_duplicate_rule_header": "allowSave=true"}
    assert admin.send("POST", "/sobjects/Account", again, **insist).status == 201
    assert admin.send("POST", "/sobjects/Account", {"Name": "Acme"}).status == 201  # a blank matches nothing
    # what does not touch the compared fields is free, and nothing is its own duplicate
    assert admin.send("PATCH", f"/sobjects/Account/{record}", {"Phone": "1"}).status == 204
    other = admin.create("Account", Name="B")
    assert admin.send("PATCH", f"/sobjects/Account/{other}", {**acme}).status == 400
    assert admin.send("PATCH", f"/sobjects/Account/{other}", {"Website": "x"}).status == 204
    assert admin.send("PATCH", f"/sobjects/Account/{other}", {"Website": "x"}).status == 204


def test_a_blocking_rule_hears_no_insisting(admin: Api) -> None:
    admin.create("Account", Name="A", AccountNumber="1")
    body, insist = {"Name": "B", "AccountNumber": "1"}, {"sforce_duplicate_rule_header": "allowSave=true"}
    assert admin.send("POST", "/sobjects/Account", body, **insist).data[0]["errorCode"] == "DUPLICATES_DETECTED"


def test_fuzzy_matching_is_refused_by_name(tmp_path: Path) -> None:
    root = shutil.copytree(METADATA, tmp_path / "metadata")
    _package(root, method="FuzzyName")
    with pytest.raises(MetadataError, match="Same_Site: only exact matches"):
        Org(Settings(data=tmp_path / "org.sqlite", metadata=root))
