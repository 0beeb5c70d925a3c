"""What a demo found out, as numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ekiben.demo.ledger import Accounts, Ledger, Phase
from ekiben.demo.quantiles import quantile
from ekiben.demo.store_costs import StoreCosts

_MS: Final = 1000.0


@dataclass(frozen=True, slots=True)
class FromStore:
    """The same replay with features null: its rate, alone and as a share of the one that brings them.

    `us_per_entity` is what a read of the store takes, in the gateway and under its load.
    """

    requests_per_second: float | None
    to_brought: float | None
    us_per_entity: float | None


@dataclass(frozen=True, slots=True)
class Beside:
    """The bulk on an open broker, in the same run: what the rate with TLS, logins and ACLs is compared to."""

    requests_per_second: float | None
    lost: int

    @classmethod
    def of(cls, report: Report) -> Beside:
        """What of its report counts."""
        return cls(report.requests_per_second, report.accounts.lost)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole of it. Rates a second, latencies in milliseconds, memory in MB (10^6 bytes) by process."""

    accounts: Accounts
    requests_per_second: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    auc: Mapping[str, float | None]
    seconds: float
    rss_mb: Mapping[str, float]
    from_store: FromStore | None = None
    plain: Beside | None = None

    @property
    def is_whole(self) -> bool:
        """Whether no request is lost, beside it neither."""
        return self.accounts.is_whole and (self.plain is None or self.plain.lost == 0)

    @property
    def secure_to_plain(self) -> float | None:
        """The rate of a secured system as a share of an open one's."""
        return _share(self.requests_per_second, self.plain.requests_per_second) if self.plain else None

    def to_json(self) -> str:
        """The report for machines; `failed` is the sum over its codes. What was not measured is null."""
        accounts = self.accounts
        numbers: dict[str, object] = {
            "sent": accounts.sent,
            "completed": accounts.completed,
            "failed": sum(accounts.failed.values()),
            "unreadable": accounts.unreadable,
            "lost": accounts.lost,
            "duplicates": accounts.duplicates,
            "dead_letters": accounts.dead_letters,
            "requests_per_second": _rounded(self.requests_per_second, 1),
            "p50_ms": _rounded(self.p50_ms, 2),
            "p95_ms": _rounded(self.p95_ms, 2),
            "p99_ms": _rounded(self.p99_ms, 2),
            "auc": {model: _rounded(area, 4) for model, area in self.auc.items()},
            "seconds": _rounded(self.seconds, 1),
            "rss_mb": {process: _rounded(mb, 1) for process, mb in self.rss_mb.items()},
        }
        if self.from_store is not None:
            numbers["features_from_store"] = {
                "requests_per_second": _rounded(self.from_store.requests_per_second, 1),
                "to_brought": _rounded(self.from_store.to_brought, 3),
                "us_per_entity": _rounded(self.from_store.us_per_entity, 1),
            }
        if self.plain is not None:
            numbers["secure"] = {
                "requests_per_second": _rounded(self.requests_per_second, 1),
                "plain_requests_per_second": _rounded(self.plain.requests_per_second, 1),
                "secure_to_plain": _rounded(self.secure_to_plain, 3),
                "plain_lost": self.plain.lost,
            }
        return json.dumps(numbers, indent=2) + "\n"


def make_report(
    ledger: Ledger,
    auc: Mapping[str, float | None],
    seconds: float,
    rss_mb: Mapping[str, float],
    costs: StoreCosts | None = None,
) -> Report:
    """Close the books: throughput is of the bulk phase, latencies are of the paced one.

    `costs` are those of the feature store, where the bulk was replayed from there, too.
    """
    latencies = ledger.latencies(Phase.PACED)
    p50, p95, p99 = (_in_ms(quantile(latencies, q)) for q in (0.50, 0.95, 0.99))
    brought, stored = ledger.rate(Phase.BULK), ledger.rate(Phase.STORE)
    from_store = FromStore(stored, _share(stored, brought), costs.us_per_entity) if costs else None
    return Report(ledger.accounts(), brought, p50, p95, p99, auc, seconds, rss_mb, from_store)


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


def _in_ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * _MS


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
