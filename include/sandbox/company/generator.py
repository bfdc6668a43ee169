"""The customers of Meridian Instruments, the same ones for the same seed.

About 300 accounts: groups of companies up to four levels deep, single companies, awkward names, and the declared bad
records of ``flaws``. About 600 contacts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from sandbox.company import flaws
from sandbox.company.names import AWKWARD, host, stems, with_form
from sandbox.company.places import COUNTRIES, TITLES, Country, address, fill
from sandbox.company.records import Account, Contact
from sandbox.company.registrations import registration

SEED = 20_240_901
GROUPS = 26
SINGLES = 147
DEPTH = 4
ATLANTIC = ("NL01", "US01")
EUROPEAN = ("NL01", "GB01")


def company(seed: int = SEED) -> list[Account]:
    """Every account, parents before their children.

    Args:
        seed: another one gives other customers of the same kinds.
    """
    maker = _Maker(random=Random(seed))
    good = [*maker.groups(), *maker.singles(), *maker.awkward()]
    return [*good, *flaws.bad_records(good, maker.account, maker.random)]


@dataclass(slots=True)
class _Maker:
    random: Random
    count: int = 0
    names: Iterator[str] | None = None

    def groups(self) -> Iterator[Account]:
        """Holdings with subsidiaries in several countries, each below some company of the levels above."""
        for _ in range(GROUPS):
            stem = self.next_name()
            home = self.country()
            root = self.account(home, f"{stem} Group")
            if self.random.random() < 0.5:
                root = self.of_two(root)
            yield root
            levels = [[root]]
            for size in (self.random.randint(1, 3), *(self.random.randint(0, 2) for _ in range(DEPTH - 2))):
                if not size:
                    break
                level = [self.subsidiary(stem, self.random.choice(levels[-1])) for _ in range(size)]
                yield from level
                levels.append(level)

    def subsidiary(self, stem: str, parent: Account) -> Account:
        """A company below another one, sold to by no other legal entity than that one is."""
        fitting = [country for country in COUNTRIES.values() if set(country.entities) <= set(parent.legal_entities)]
        country = self.random.choice(fitting)
        place = address(country, self.random).city or ""
        made = self.account(country, f"{stem} {place} {self.count:03}")
        return replace(made, parent=parent.number)

    def singles(self) -> Iterator[Account]:
        """Companies on their own; one in ten buys from two legal entities."""
        for _ in range(SINGLES):
            made = self.account(self.country(), self.next_name())
            yield self.of_two(made) if self.random.random() < 0.1 else made

    def awkward(self) -> Iterator[Account]:
        """Companies with names that break careless code."""
        for name in AWKWARD:
            yield replace(self.account(self.country(), name), name=name, legal_name=None)

    def country(self) -> Country:
        """A country, the more likely the more customers are there."""
        every = list(COUNTRIES.values())
        return self.random.choices(every, weights=[country.share for country in every])[0]

    def next_name(self) -> str:
        if self.names is None:
            self.names = stems(self.random)
        return next(self.names)

    def account(self, country: Country, stem: str) -> Account:
        """A good account of a country with this name, in the currency and of the legal entity that are usual there."""
        random = self.random
        self.count += 1
        name = with_form(stem, country, random)
        where = address(country, random)
        web = host(stem)
        goods = random.choice([where, address(country, random), address(country, random), None])
        return Account(
            number=f"MI-{self.count:05}",
            name=name,
            currency=country.currency,
            bill_to=where,
            ship_to=goods,
            legal_entities=country.entities,
            legal_name=name.upper() if random.random() < 0.4 else None,
            tax_registration=registration(country.code, random) if random.random() < 0.85 else None,
            phone=fill(country.phone, random) if random.random() < 0.9 else None,
            website=f"https://www.{web}" if web and random.random() < 0.8 else None,
            contacts=tuple(self.contacts(country, web)),
        )

    def of_two(self, account: Account) -> Account:
        """The account as a customer of two legal entities: across the Channel, or across the Atlantic in dollars, as US01
        trades in nothing else."""
        if "GB01" in account.legal_entities or ("NL01" in account.legal_entities and self.random.random() < 0.3):
            return replace(account, legal_entities=EUROPEAN)
        return replace(account, legal_entities=ATLANTIC, currency="USD")

    def contacts(self, country: Country, web: str) -> Iterator[Contact]:
        """None to five people, no two of the same name; some without a first name, a mail address or a telephone."""
        random = self.random
        people = {
            (random.choice(country.given), random.choice(country.family))
            for _ in range(random.choice((0, 1, 2, 2, 3, 5)))
        }
        without: set[str] = set()  # family names that stand alone
        for place, (given, family) in enumerate(sorted(people)):
            alone = random.random() >= 0.95 and family not in without
            without |= {family} if alone else set()
            yield Contact(
                first_name=None if alone else given,
                last_name=family,
                email=f"contact{place}@{web}" if web and random.random() < 0.9 else None,
                phone=fill(country.phone, random) if random.random() < 0.6 else None,
                title=random.choice(TITLES),
            )
