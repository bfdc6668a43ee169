"""The suite of a gate: rules derived from the definition, and the business rules of `accord.quality.rules.<object>`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from accord.objects.definition import BusinessObject
from accord.ports import Source
from accord.quality.rule import CANONICAL, SOURCE, Rule, Suite
from accord.quality.structure import canonical_rules, source_rules


def suite_for(definition: BusinessObject, stage: str, source: Source) -> Suite:
    """The suite of `definition` at `stage`.

    Args:
        definition: the business object.
        stage: "source" (as extracted) or "canonical" (before the write).
        source: asked, at the source stage, which columns its staged chunks must have. Every instant among them must be filled
            in, because new is told from old by it.

    Raises:
        ValueError: there is no such stage.
    """
    if stage == SOURCE:
        derived = source_rules(source.required_columns(definition))
    elif stage == CANONICAL:
        derived = canonical_rules(definition)
    else:
        raise ValueError(f"unknown stage {stage!r}; known: {SOURCE}, {CANONICAL}")
    rules = {rule.name: rule for rule in derived}
    rules |= {rule.name: rule for rule in business_rules(definition.name, stage)}
    return Suite(object=definition, stage=stage, rules=tuple(rules.values()))


def business_rules(object_name: str, stage: str) -> tuple[Rule, ...]:
    """The hand-written rules of an object: SOURCE_RULES and CANONICAL_RULES of its module; none when it has no module."""
    module = f"accord.quality.rules.{object_name}"
    if find_spec(module) is None:
        return ()
    rules: tuple[Rule, ...] = getattr(import_module(module), f"{stage.upper()}_RULES", ())
    return rules
