"""Which connector carries a message, why, and what its country costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from carillon.domain.errors import InvalidInput, NotFound
from carillon.domain.msisdn import FRENCH_TERRITORIES
from carillon.models import Account, Connector, Route, Tariff

IMPLICIT_PRIORITY = 1_000_000  # connectors that no route names serve when no route matches


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way out. `rule` is the route's name, "" for a connector that no route had to name."""

    connector_id: int
    connector: str
    rule: str
    priority: int
    weight: int
    traffic: str = ""
    country: str = ""
    prefix: str = ""
    cost: int = 0
    is_up: bool = True

    @property
    def rank(self) -> tuple[int, int]:
        """Lower goes first; candidates of the same rank share by weight."""
        return self.priority, self.cost

    def matches(self, *, country: str, msisdn: str, traffic: str) -> bool:
        return (
            (not self.traffic or self.traffic == traffic)
            and (not self.country or self.country == country)
            and (not self.prefix or msisdn.startswith(self.prefix))
        )


@dataclass(frozen=True, slots=True)
class Considered:
    """A candidate, and what it wanted that the message is not: of traffic, country, prefix. Nothing: it matches."""

    candidate: Candidate
    wanted: dict[str, str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which way a message goes; pages and commands put it in words. `chosen` None: nothing carries it.

    `sharing`: how many candidates of its priority and cost share by weight.
    """

    chosen: Candidate | None
    sharing: int
    considered: list[Considered]

    @property
    def connector(self) -> str | None:
        return self.chosen.connector if self.chosen else None


DOWN = {"down", "closed"}


class Router:
    """The routes of one account, loaded once; `choose` is called per recipient."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = sorted(candidates, key=lambda c: c.rank)
        self._has_prefixes = any(c.prefix for c in candidates)
        self._cache: dict[tuple[str, str], list[Candidate]] = {}

    @classmethod
    def load(cls, account: Account, *, medium: str = "SMS", simulator_only: bool = False) -> Router:
        """`simulator_only`: a test account or token, which never reaches a real network."""
        connectors = Connector.objects.filter(is_enabled=True, medium=medium)
        rules = Route.objects.filter(is_enabled=True, medium=medium)
        return cls.of(connectors, rules, account_id=account.pk, simulator_only=simulator_only or account.is_test)

    @classmethod
    def of(
        cls, connectors: Iterable[Connector], rules: Iterable[Route], *, account_id: int, simulator_only: bool
    ) -> Router:
        """From enabled connectors and routes of one medium."""
        usable = {c.pk: c for c in connectors if c.is_simulator or not simulator_only}
        found = [
            cls._candidate(rule, usable[rule.connector_id])
            for rule in sorted(rules, key=lambda rule: (rule.priority, rule.pk))
            if rule.connector_id in usable and rule.account_id in (None, account_id)
        ]
        for connector in usable.values():
            if simulator_only or not connector.is_simulator:
                found.append(
                    Candidate(
                        connector.pk, connector.name, "", IMPLICIT_PRIORITY, 1,
                        is_up=connector.state not in DOWN,
                    )
                )  # fmt: skip
        return cls(found)

    @staticmethod
    def _candidate(route: Route, connector: Connector) -> Candidate:
        return Candidate(
            connector_id=connector.pk,
            connector=connector.name,
            rule=route.name,
            priority=route.priority,
            weight=max(route.weight, 1),
            traffic=route.traffic,
            country=route.country,
            prefix=route.prefix,
            cost=route.cost,
            is_up=connector.state not in DOWN,
        )

    @property
    def is_empty(self) -> bool:
        return not self.candidates

    def choose(self, *, country: str, msisdn: int, traffic: str) -> int | None:
        """Connector id of the first matching rule whose connector is not known to be down, else of the first matching one."""
        best = self._best(country, msisdn, traffic)
        if not best:
            return None
        return best[0].connector_id if len(best) == 1 else self._share(best, msisdn).connector_id

    def alternatives(self, *, country: str, msisdn: int, traffic: str, without: int) -> list[int]:
        """Other connectors this message may use, best first: for failover."""
        matching = self._matching(country, msisdn, traffic)
        return list(dict.fromkeys(c.connector_id for c in matching if c.connector_id != without))

    def explain(self, *, country: str, msisdn: int, traffic: str) -> Explanation:
        considered = [Considered(c, self._wanted(c, country, msisdn, traffic)) for c in self.candidates]
        best = self._best(country, msisdn, traffic)
        if not best:
            return Explanation(None, 0, considered)
        chosen = best[0] if len(best) == 1 else self._share(best, msisdn)
        return Explanation(chosen, len(best), considered)

    def _best(self, country: str, msisdn: int, traffic: str) -> list[Candidate]:
        key = (country, traffic)
        if not self._has_prefixes and key in self._cache:
            return self._cache[key]
        matching = self._matching(country, msisdn, traffic)
        usable = [c for c in matching if c.is_up] or matching
        best = [c for c in usable if c.rank == usable[0].rank] if usable else []
        self._cache[key] = best
        return best

    def _matching(self, country: str, msisdn: int, traffic: str) -> list[Candidate]:
        digits = str(msisdn)
        return [c for c in self.candidates if c.matches(country=country, msisdn=digits, traffic=traffic)]

    @staticmethod
    def _share(best: Sequence[Candidate], msisdn: int) -> Candidate:
        """By weight, and always the same for the same number: a person's texts come by one road."""
        point = (msisdn * 2654435761 % 2**32) % sum(c.weight for c in best)
        for candidate in best:
            point -= candidate.weight
            if point < 0:
                return candidate
        return best[-1]

    @staticmethod
    def _wanted(c: Candidate, country: str, msisdn: int, traffic: str) -> dict[str, str]:
        wanted = {"traffic": c.traffic} if c.traffic and c.traffic != traffic else {}
        wanted |= {"country": c.country} if c.country and c.country != country else {}
        wanted |= {"prefix": c.prefix} if c.prefix and not str(msisdn).startswith(c.prefix) else {}
        return wanted


def allowed_countries(account: Account) -> frozenset[str]:
    """ISO codes the account may send to; none given means France and its territories."""
    return frozenset(account.countries or ["FR", *FRENCH_TERRITORIES]) | (
        frozenset(FRENCH_TERRITORIES) if "FR" in (account.countries or ["FR"]) else frozenset()
    )


def tariff_of(account: Account, *, medium: str = "SMS") -> dict[str, int]:
    """{country: hundredths of a credit a segment}: the account's own rows over its parents' over the platform's."""
    chain = tariff_chain(account)
    rows = Tariff.objects.filter(medium=medium).values_list("account_id", "country", "price")
    return merge_tariff(chain, rows)


def tariff_chain(account: Account) -> list[int | None]:
    """Whose tariffs count, least first: the platform (None), the topmost parent … the account."""
    own: list[int | None] = []
    node: Account | None = account
    while node is not None:
        own.insert(0, node.pk)
        node = node.parent
    return [None, *own]


def merge_tariff(chain: Sequence[int | None], rows: Iterable[tuple[int | None, str, int]]) -> dict[str, int]:
    """Rows (account, country, price) of the accounts in `chain`, later ones over earlier ones."""
    rank = {pk: i for i, pk in enumerate(chain)}
    mine = sorted((r for r in rows if r[0] in rank), key=lambda r: rank[r[0]])
    return {country: price for _, country, price in mine}


def set_tariff(*, country: str, price: int, account: Account | None = None, medium: str = "SMS") -> Tariff:
    if len(country) != 2 or not country.isalpha():
        raise InvalidInput(f"'{country}' is not a two-letter country code", field="country", code="country")
    if price < 0:
        raise InvalidInput("A tariff cannot be negative", field="price")
    row, _ = Tariff.objects.update_or_create(
        account=account, medium=medium, country=country.upper(), defaults={"price": price}
    )
    return row


def add_route(
    *,
    name: str,
    connector: Connector,
    priority: int = 100,
    traffic: str = "",
    country: str = "",
    prefix: str = "",
    account: Account | None = None,
    weight: int = 1,
    cost: int = 0,
) -> Route:
    if traffic not in ("", "MKG", "NOTIFICATION"):
        raise InvalidInput("Traffic is MKG, NOTIFICATION or nothing", field="traffic")
    if prefix and not prefix.isdigit():
        raise InvalidInput("A prefix is E.164 digits without +, for example 3367", field="prefix", code="prefix")
    if weight < 1:
        raise InvalidInput("A weight is 1 or more", field="weight")
    if Route.objects.filter(name=name).exists():
        raise InvalidInput(f"There is a route named '{name}' already", field="name", code="name_taken")
    return Route.objects.create(
        name=name, connector=connector, medium=connector.medium, priority=priority, traffic=traffic,
        country=country.upper(), prefix=prefix, account=account, weight=weight, cost=cost,
    )  # fmt: skip


def remove_route(route_id: int) -> None:
    """Raises NotFound."""
    gone, _each = Route.objects.filter(pk=route_id).delete()
    if not gone:
        raise NotFound(f"There is no route {route_id}")


def switch_route(route_id: int) -> bool:
    """On if it was off, off if it was on; gives what it now is. Raises NotFound."""
    route = Route.objects.filter(pk=route_id).first()
    if route is None:
        raise NotFound(f"There is no route {route_id}")
    route.is_enabled = not route.is_enabled
    route.save(update_fields=["is_enabled"])
    return route.is_enabled
