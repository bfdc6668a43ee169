"""The files of a Salesforce project in source format: where they are, and what is in a node."""

import json
from pathlib import Path
from xml.etree import ElementTree

NS = "{http://soap.sforce.com/2006/04/metadata}"


class MetadataError(ValueError):
    """The metadata folder holds something this org can't do; the message names the file."""


def tree(path: Path) -> ElementTree.Element:
    """Return the root of a metadata file."""
    # The files are the developer's own project, so the standard parser's known weaknesses don't matter here.
    return ElementTree.parse(path).getroot()  # noqa: S314


def text(node: ElementTree.Element, tag: str, default: str = "") -> str:
    """Return the text of a node's child, or the default."""
    found = node.find(NS + tag)
    return found.text or default if found is not None else default


def true(node: ElementTree.Element, tag: str) -> bool:
    """Return whether a node's child says true."""
    return text(node, tag) == "true"


def package_folders(root: Path) -> list[Path]:
    """Return the `main/default` folders of the project's packages."""
    project = root / "sfdx-project.json"
    if not project.is_file():
        raise MetadataError(f"{root} is not a Salesforce project: sfdx-project.json is missing")
    packages = json.loads(project.read_text(encoding="utf-8"))["packageDirectories"]
    return [root / package["path"] / "main" / "default" for package in packages]
