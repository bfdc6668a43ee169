"""Reads validation, duplicate and matching rules in source format."""

from pathlib import Path

from sandbox.salesforce.schema.model import Duplicates, Validation
from sandbox.salesforce.schema.source_xml import NS, MetadataError, text, tree, true


def validations(folder: Path) -> tuple[Validation, ...]:
    """Return the active validation rules of an object's folder."""
    nodes = [tree(path) for path in sorted((folder / "validationRules").glob("*.validationRule-meta.xml"))]
    return tuple(
        Validation(
            name=text(node, "fullName"),
            condition=text(node, "errorConditionFormula"),
            message=text(node, "errorMessage"),
            field=text(node, "errorDisplayField") or None,
        )
        for node in nodes
        if true(node, "active")
    )


def _matching_rules(package: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    found = {}
    for path in sorted((package / "matchingRules").glob("*.matchingRule-meta.xml")):
        for node in tree(path).findall(NS + "matchingRules"):
            items = node.findall(NS + "matchingRuleItems")
            name = text(node, "fullName")
            if text(node, "booleanFilter") or any(text(item, "matchingMethod") != "Exact" for item in items):
                raise MetadataError(f"{path}: {name}: only exact matches of all fields are covered by the local org")
            found[path.name.split(".")[0], name] = tuple(text(item, "fieldName") for item in items)
    return found


def duplicate_rules(package: Path) -> dict[str, tuple[Duplicates, ...]]:
    """Return a package's active duplicate rules that block or alert, by object.

    Raises:
        MetadataError: A matching rule is missing, or matches in other ways than exactly.
    """
    matching = _matching_rules(package)
    rules: dict[str, tuple[Duplicates, ...]] = {}
    for path in sorted((package / "duplicateRules").glob("*.duplicateRule-meta.xml")):
        node, name = tree(path), path.name.split(".")[0]
        match = node.find(NS + "duplicateRuleMatchRules")
        fields = matching.get((name, text(match, "matchingRule"))) if match is not None else None
        if fields is None:
            raise MetadataError(f"{path}: its matching rule is not in matchingRules/{name}.matchingRule-meta.xml")
        alerts = any(item.text == "Alert" for item in node.findall(NS + "operationsOnInsert"))
        blocks = text(node, "actionOnInsert") == "Block"
        if true(node, "isActive") and (blocks or alerts):
            rule = Duplicates(
                name=path.name.split(".")[1],
                fields=fields,
                message=text(node, "alertText", "Use one of these records?"),
                blocks=blocks,
            )
            rules[name] = (*rules.get(name, ()), rule)
    return rules
