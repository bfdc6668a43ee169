"""Turn a fresh Tryton database into the sample company. Run by the Python of Tryton's environment, once per template.

Usage: install.py DATABASE TRYTOND_CONFIG COMPANY_JSON CATALOGUE_JSON YEAR   (fiscal years are set up around YEAR)

Everything is reached through proteus, Tryton's client library; what is set up is declared in the JSON files.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pycountry
import setup_trade
from proteus import Model, Wizard, config
from setup_records import account, currency, known, one, work_for
from trytond.modules.country.scripts import import_countries
from trytond.modules.currency.scripts import import_currencies
from trytond.tools import remove_forbidden_chars

YEARS_BACK, YEARS_AHEAD = 1, 2  # fiscal years around the current one


def main(database: str, config_file: str, declared: dict[str, Any], catalogue: dict[str, Any], year: int) -> None:
    session = config.set_trytond(database, config_file=config_file)
    with session.set_context(active_test=False):
        countries()
        import_currencies.do_import()
    rates(declared["currency_rates"], year)
    terms = [payment_term(term) for term in declared["payment_terms"]]
    relations(declared["relations"])
    paper()
    companies = [company(entity) for entity in declared["legal_entities"]]
    pairs = list(zip(declared["legal_entities"], companies, strict=True))
    for entity, owner in pairs:
        work_for(owner)
        books(entity, owner, year)
        configuration = Model.get("account.configuration")(1)
        configuration.default_customer_payment_term = next(term for term in terms if term.name == "NET30")
        configuration.save()
    setup_trade.set_up(pairs, catalogue, year)
    categories(declared["legal_entities"])
    users(declared, companies)


def countries() -> None:
    """Countries and their subdivisions, without translations: the company speaks English, and those take longer than the rest."""
    countries = import_countries.update_countries(import_countries.get_countries())
    subdivisions({code: country.id for code, country in countries.items()})


def subdivisions(countries: dict[str, int]) -> None:
    """What Tryton's script makes of ISO 3166-2: it saves each of five thousand by itself, reads it back and saves it again."""
    Subdivision = Model.get("country.subdivision")
    types = {name for name, _ in Subdivision._fields["type"]["selection"]}
    made: dict[str | None, int | None] = {None: None}
    left = [(one, one.parent.code if one.parent else None) for one in pycountry.subdivisions]
    while left:
        ready = [(one, parent) for one, parent in left if parent in made]
        left = [(one, parent) for one, parent in left if parent not in made]
        values = [
            {
                "code": one.code,
                "name": remove_forbidden_chars(one.name),
                "type": one.type.lower() if one.type.lower() in types else None,
                "country": countries[one.country_code],
                "parent": made[parent],
            }
            for one, parent in ready
        ]
        made |= zip(
            (one.code for one, _ in ready), Subdivision.create(values, config.get_config().context), strict=True
        )


def rates(declared: dict[str, str], year: int) -> None:
    start = dt.date(year - YEARS_BACK, 1, 1)
    for code, rate in declared.items():
        found = currency(code)
        found.rates.new(date=start, rate=Decimal(rate))
        found.save()


def payment_term(declared: dict[str, Any]) -> Any:
    term = Model.get("account.invoice.payment_term")(name=declared["name"])
    line = term.lines.new(type="remainder")
    line.relativedeltas.new(days=declared["days"])
    term.save()
    return term


def relations(declared: list[list[str]]) -> None:
    """Types of relation between parties, each with its reverse."""
    Type = Model.get("party.relation.type")
    for there, back in declared:
        one_way, other_way = Type(name=there), Type(name=back)
        Type.save([one_way, other_way])
        one_way.reverse, other_way.reverse = other_way, one_way
        Type.save([one_way, other_way])


def paper() -> None:
    """Invoices are printed as a line of text: nobody reads them here, and to fill in an office document takes as long as to post."""
    report = Model.get("ir.action.report")(known("account_invoice.report_invoice"))
    report.template_extension = "txt"
    report.report_content = b"Invoice ${invoice.number} of ${invoice.party.name}: ${invoice.total_amount}"
    report.save()


def company(entity: dict[str, Any]) -> Any:
    party = Model.get("party.party")(name=entity["name"], code=entity["code"])
    address = party.addresses[0] if party.addresses else party.addresses.new()
    address.street = entity["street"]
    address.postal_code, address.city = entity["postal_code"], entity["city"]
    address.country = one("country.country", [("code", "=", entity["country"])])
    party.identifiers.new(**entity["tax_registration"])
    party.save()
    made = Model.get("company.company")(party=party, currency=currency(entity["currency"]), timezone=entity["timezone"])
    made.save()
    User = Model.get("res.user")
    admin = one("res.user", [("login", "=", "admin")])
    admin.companies.append(Model.get("company.company")(made.id))  # a list owns its elements: never the instance itself
    admin.company, admin.company_filter = made, "all"
    admin.save()
    config.get_config()._context = User.get_preferences(True, {})
    return made


def books(entity: dict[str, Any], owner: Any, this_year: int) -> None:
    """Chart of accounts, fiscal years, taxes and their rules of one legal entity."""
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template = Model.get("account.account.template")(known("account.account_template_root_en"))
    wizard.form.company = owner
    wizard.execute("create_account")
    receivable = account(owner, ("type.receivable", "=", True))
    wizard.form.account_receivable = receivable
    wizard.form.account_payable = account(owner, ("type.payable", "=", True))
    wizard.form.category_account_revenue = account(owner, ("type.revenue", "=", True))
    wizard.form.category_account_expense = account(owner, ("type.expense", "=", True))
    wizard.execute("create_properties")
    for year in range(this_year - YEARS_BACK, this_year + YEARS_AHEAD + 1):
        fiscal_year(year, owner, entity["code"])
    past = [("start_date", "<", dt.date(this_year - YEARS_BACK, 4, 1)), ("company", "=", owner.id)]
    Model.get("account.period").click(Model.get("account.period").find(past), "close")
    taxes(entity, owner)
    method = Model.get("account.invoice.payment.method")(name="Bank transfer", company=owner)
    method.journal = one("account.journal", [("type", "=", "cash")])
    method.credit_account = method.debit_account = account(owner, ("code", "=", "1.1.1"))
    method.save()


def fiscal_year(year: int, owner: Any, code: str) -> None:
    made = Model.get("account.fiscalyear")(name=f"{year}", company=owner)
    made.start_date, made.end_date = dt.date(year, 1, 1), dt.date(year, 12, 31)
    made.move_sequence = sequence(f"Moves {year}", "Account Move", owner)
    if not made.invoice_sequences:
        made.invoice_sequences.new()
    numbers = made.invoice_sequences[0]
    numbers.company = owner
    numbers.out_invoice_sequence = sequence(f"Invoices {year}", "Invoice", owner, prefix=f"{code}-I{year}-")
    numbers.out_credit_note_sequence = sequence(f"Credit notes {year}", "Invoice", owner, prefix=f"{code}-C{year}-")
    numbers.in_invoice_sequence = numbers.in_credit_note_sequence = sequence(f"Bills {year}", "Invoice", owner)
    made.save()
    made.click("create_period")


def sequence(name: str, kind: str, owner: Any, prefix: str = "") -> Any:
    made = Model.get("ir.sequence.strict")(name=name, company=owner, prefix=prefix, padding=5)
    made.sequence_type = one("ir.sequence.type", [("name", "=", kind)])
    made.save()
    return made


def taxes(entity: dict[str, Any], owner: Any) -> None:
    made: dict[str, Any] = {}
    group = Model.get("account.tax.group")(name=f"Sales tax {entity['code']}", code=entity["code"], kind="sale")
    group.save()
    collected = account(owner, ("code", "=", "6.3.6"))
    for declared in entity["taxes"]:
        tax = Model.get("account.tax")(name=declared["name"], description=declared["name"], company=owner)
        tax.group, tax.type, tax.rate = group, "percentage", Decimal(declared["rate"])
        tax.invoice_account = tax.credit_note_account = collected
        tax.save()
        made[declared["name"]] = tax
    for declared in entity["tax_rules"]:
        rule = Model.get("account.tax.rule")(name=declared["name"], kind="sale", company=owner)
        if "by" in declared:
            for name in sorted(set(entity["tax_of"].values())):
                line = rule.lines.new(group=group)
                line.origin_tax, line.tax = made[name], made[declared["by"]]
        rule.save()
    for name, tax in entity["tax_of"].items():  # one category for all, each legal entity with its own accounts
        Category = Model.get("product.category")
        category = next(iter(Category.find([("name", "=", name), ("accounting", "=", True)])), None)
        category = category or Category(name=name, accounting=True)
        category.account_revenue = account(owner, ("type.revenue", "=", True))
        category.account_expense = account(owner, ("type.expense", "=", True))
        category.customer_taxes.append(Model.get("account.tax")(made[tax].id))
        category.save()


def categories(entities: list[dict[str, Any]]) -> None:
    """A party in category "Credit hold / <entity>" gets no new orders of that legal entity: finance puts it there."""
    Category = Model.get("party.category")
    hold = Category(name="Credit hold")
    hold.save()
    for entity in entities:
        Category(name=entity["code"], parent=hold).save()


def users(declared: dict[str, Any], companies: list[Any]) -> None:
    """The integration user, who reads finance's and stock's records but may not write them, and the company's people."""
    group = Model.get("res.group")(name="Integration")
    group.save()
    Access = Model.get("ir.model.access")
    for model, letters in declared["integration_rights"].items():
        rights = Access(model=model, group=group)
        for letter, right in (("r", "read"), ("w", "write"), ("c", "create"), ("d", "delete")):
            setattr(rights, f"perm_{right}", letter in letters)
        rights.save()
    for name in declared["finance_owns"]:
        model, field = name.rsplit(".", 1)
        rights = Model.get("ir.model.field.access")(model=model, field=field, group=group)
        rights.perm_read, rights.perm_write, rights.perm_create, rights.perm_delete = True, False, True, False
        rights.save()
    Group, User = Model.get("res.group"), Model.get("res.user")
    staff = {login: [known(name) for name in groups] for login, groups in declared["staff"].items()}
    integration = [group.id, *(known(name) for name in declared["integration_groups"])]
    for login, groups in {"accord": integration, **staff}.items():
        user = User(name=login.capitalize(), login=login)
        for found in list(user.groups):
            user.groups.remove(found)
        user.groups.extend(Group(found) for found in groups)
        user.companies.extend(Model.get("company.company")(owner.id) for owner in companies)
        user.company, user.company_filter = companies[0], "all"
        user.save()


if __name__ == "__main__":
    texts = [Path(name).read_text(encoding="utf-8") for name in sys.argv[3:5]]
    main(sys.argv[1], sys.argv[2], json.loads(texts[0]), json.loads(texts[1]), int(sys.argv[5]))
