"""`make bench-prepare`: SIZE messages composed, counted, priced and stored; against COPY of the same rows into the same table.

ARGS="--optouts 5000000 --runs 5" prepares in turns with a blacklist of so many numbers and with none instead. Nobody of the list
stands on it, so that both judge and store the same; the numbers are spread all over its index. On a busy machine the ratio of
processor time (Python and PostgreSQL) says more than that of the clock.

Not included: the import of the list (bench-import). PostgreSQL runs on the same cores.
"""

from __future__ import annotations

import argparse
import io
import time
from typing import TYPE_CHECKING

from bench.ground import cpu_s, ground, machine, peak_mb, say, size

if TYPE_CHECKING:
    from carillon.models import Campaign

MESSAGE = "Bonjour ${Prénom} ${Nom}, votre commande ${Ref} vous attend à ${Ville} jusqu'à samedi."
HEADER = ["SMS", "Prénom", "Nom", "Ref", "Ville", "CP"]
FIRST = ["Jean", "Jacqueline", "Zoé", "Karim", "Élise"]
TOWNS = ["Paris", "Boulogne-Billancourt", "Lyon", "Saint-Denis", "Nice"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.prepare")
    parser.add_argument("--optouts", type=int, default=0)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    n = size(500_000)
    with ground():
        campaign = draft(n, traffic="MKG")
        if given.optouts:
            beside_no_blacklist(campaign, given.optouts, runs=given.runs)
        else:
            beside_copy(campaign, n)


def beside_copy(campaign: Campaign, n: int) -> None:
    from django.db import connection

    from carillon.services import preparation

    started = time.perf_counter()
    campaign = preparation.prepare(campaign.pk)
    ours = time.perf_counter() - started
    assert campaign.valid_count == n
    with connection.cursor() as cursor:
        buffer = io.BytesIO()
        with cursor.copy("COPY message TO STDOUT") as copy:
            for piece in copy:
                buffer.write(piece)
        cursor.execute("TRUNCATE message")
        started = time.perf_counter()
        with cursor.copy("COPY message FROM STDIN") as copy:
            copy.write(buffer.getvalue())
        bare = time.perf_counter() - started
    say(
        "prepare", messages=n, per_second=n / ours, seconds=ours, copy_per_second=n / bare, ratio_to_copy=bare / ours,
        peak_mb=peak_mb(), machine=machine(),
    )  # fmt: skip


SWAP = """
ALTER TABLE optout RENAME TO other; ALTER TABLE optout_none RENAME TO optout; ALTER TABLE other RENAME TO optout_none
"""


def beside_no_blacklist(campaign: Campaign, optouts: int, *, runs: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE optout_none (LIKE optout INCLUDING ALL)")
        cursor.execute(
            "INSERT INTO optout (account_id, id, msisdn, source) SELECT %s, i, 33600000001 + 8 * i::bigint, 'import'"
            " FROM generate_series(1, %s) i",
            [campaign.account_id, optouts],
        )
        cursor.execute("VACUUM ANALYZE optout")  # as autovacuum does within a minute of an import
        cursor.execute("VACUUM ANALYZE optout_none")
    taken: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
    for _ in range(runs):
        for times in taken.values():
            times.append(once(campaign))
            with connection.cursor() as cursor:
                cursor.execute(SWAP)
    (wall, cpu), (bare_wall, bare_cpu) = (tuple(map(min, zip(*times, strict=True))) for times in taken.values())
    say(
        "prepare", messages=campaign_size(campaign), optouts=optouts, seconds=wall, seconds_without=bare_wall, ratio=wall / bare_wall,
        cpu_s=cpu, cpu_s_without=bare_cpu, ratio_of_cpu=cpu / bare_cpu, runs=runs, peak_mb=peak_mb(), machine=machine(),
    )  # fmt: skip


def campaign_size(campaign: Campaign) -> int:
    campaign.refresh_from_db()
    return campaign.recipient_count


def once(campaign: Campaign) -> tuple[float, float]:
    """(seconds, seconds of processor time of Python and PostgreSQL) of one preparation; nothing of it is left behind."""
    from django.db import connection

    from carillon.services import preparation

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = int(cursor.fetchone()[0])
    started, used = time.perf_counter(), time.process_time() + cpu_s(server)
    preparation.prepare(campaign.pk)
    found = time.perf_counter() - started, time.process_time() + cpu_s(server) - used
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE message, slice")
    return found


def draft(n: int, *, traffic: str) -> Campaign:
    """A campaign to a list of n French mobiles, not prepared."""
    from carillon.models import Account, Connector, List
    from carillon.services import campaigns

    account = Account.objects.create(name="bench", balance=10**12, max_segments=3)
    Connector.objects.create(name="bench", kind="smpp")
    item = List.objects.create(
        account=account,
        name="bench",
        state=List.State.READY,
        header=HEADER,
        mobile_column="SMS",
        size=n,
        valid_count=n,
    )
    fill(item.pk, account.pk, n)
    campaign = campaigns.create(actor=None, account=account, message=MESSAGE, traffic=traffic)
    return campaigns.set_lists(campaign, lists=[item])


def fill(list_id: int, account_id: int, n: int) -> None:
    from django.db import connection

    from carillon.services import ids

    first = ids.take_block("recipient", n)
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY recipient (account_id, id, list_id, line, msisdn, country, verdict, fields) FROM STDIN"
        ) as copy:
            for i in range(n):
                number = 33600000000 + 2 * (i * 7_919 % 19_999_999)  # neighbours in a list are not in an index
                fields = f'"0{number - 33000000000}","{FIRST[i % 5]}","Durand{i % 97}","R{i:07d}","{TOWNS[i % 5]}","75{i % 20:03d}"'
                copy.write(f"{account_id}\t{first + i}\t{list_id}\t{i + 1}\t{number}\tFR\t1\t{{{fields}}}\n")
        cursor.execute("ANALYZE recipient")


if __name__ == "__main__":
    main()
