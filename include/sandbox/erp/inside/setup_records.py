"""What the parts of the set-up share: finding what a module or an earlier part made."""

from __future__ import annotations

from typing import Any

from proteus import Model, config


def known(external: str) -> int:
    """The id of a record that a module ships, by its ``module.name``."""
    return int(Model.get("ir.model.data").get_id(external, config.get_config().context))


def one(model: str, domain: list[Any]) -> Any:
    """The first record that meets the domain."""
    (found,) = Model.get(model).find(domain, limit=1)
    return found


def currency(code: str) -> Any:
    """A currency by its ISO 4217 code."""
    return one("currency.currency", [("code", "=", code)])


def account(owner: Any, clause: tuple[str, str, Any]) -> Any:
    """An open account of a company."""
    return one("account.account", [clause, ("company", "=", owner.id), ("closed", "!=", True)])


def work_for(owner: Any) -> None:
    """From here on everything is read and written in this company's name."""
    session = config.get_config()
    session._context = Model.get("res.user").get_preferences(True, {}) | {"company": owner.id, "companies": [owner.id]}
