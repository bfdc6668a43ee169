# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""The records every org has from the start: itself, users, currencies, permission sets, the standard price book."""

from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.store import Store

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CAD", "AUD", "JPY")
ORGANIZATION_ID = ids.make("00D", 1)


def _insert(store: Store, stamp: str, by: str, name: str, **values: Any) -> None:
    values |= {
        "CreatedDate": stamp,
        "CreatedById": by,
        "LastModifiedDate": stamp,
        "LastModifiedById": by,
        "SystemModstamp": stamp,
    }
    columns, marks = ", ".join(f'"{c}"' for c in values), ", ".join("?" * len(values))
    with store.write() as db:
        db.execute(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', tuple(values.values()))


def seed(store: Store, stamp: str, username: str, admin_username: str) -> dict[str, str]:
    """Make the records of a new org; return the ids of the users ``integration`` and ``admin``."""
    known: dict[str, str] | None = store.setting("users")
    if known is not None:
        return known
    with store.write() as db:
        store.take_numbers(db, "00D", 1)
        admin, integration = store.new_ids(db, "005", 2)
        _insert(
            store,
            stamp,
            admin,
            "Organization",
            Id=ORGANIZATION_ID,
            Name="Local Salesforce Org",
            OrganizationType="Developer Edition",
            InstanceName="LOCAL",
            IsSandbox=1,
            TimeZoneSidKey="GMT",
            FiscalYearStartMonth=1,
        )
        for user, name, login in ((admin, "Administrator", admin_username), (integration, "Integration", username)):
            _insert(
                store,
                stamp,
                admin,
                "User",
                Id=user,
                LastName=name,
                Name=name,
                Username=login,
                Email=login,
                IsActive=1,
                Alias=name[:8].lower(),
                UserType="Standard",
                DefaultCurrencyIsoCode=CURRENCIES[0],
                CurrencyIsoCode=CURRENCIES[0],
            )
        for record, code in zip(store.new_ids(db, "01L", len(CURRENCIES)), CURRENCIES, strict=True):
            _insert(
                store,
                stamp,
                admin,
                "CurrencyType",
                Id=record,
                IsoCode=code,
                ConversionRate=1.0,
                IsActive=1,
                DecimalPlaces=0 if code == "JPY" else 2,
                IsCorporate=int(code == CURRENCIES[0]),
            )
        users = {"admin": admin, "integration": integration}
        store.set_setting("users", users)
    return users


def assign(store: Store, stamp: str, users: dict[str, str], sets: list[dict[str, Any]]) -> None:
    """Make records of the permission sets that have none, assigned to the integration user."""
    with store.write() as db:
        for item in sets:
            if db.execute("SELECT 1 FROM PermissionSet WHERE Name = ?", (item["name"],)).fetchone():
                continue
            [record], [assignment] = store.new_ids(db, "0PS", 1), store.new_ids(db, "0Pa", 1)
            by = users["admin"]
            _insert(store, stamp, by, "PermissionSet", Id=record, Name=item["name"], Label=item["label"])
            _insert(
                store,
                stamp,
                by,
                "PermissionSetAssignment",
                Id=assignment,
                AssigneeId=users["integration"],
                PermissionSetId=record,
            )


def price_book(store: Store, stamp: str, users: dict[str, str]) -> None:
    """Make the standard price book of an org that has none: there is always one, and only one."""
    with store.write() as db:
        if db.execute("SELECT 1 FROM Pricebook2 WHERE IsStandard = 1").fetchone() is None:
            [record] = store.new_ids(db, "01s", 1)
            values = {"Id": record, "Name": "Standard Price Book", "IsActive": 1, "IsStandard": 1}
            _insert(store, stamp, users["admin"], "Pricebook2", **values)
