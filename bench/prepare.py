"""`make bench-prepare`: SIZE messages composed, counted, priced and stored; against COPY of the same rows into the same table.

Not included: the import of the list (bench-import). PostgreSQL runs on the same cores.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from bench.ground import ground, machine, peak_mb, say, size

if TYPE_CHECKING:
    from carillon.models import Campaign

MESSAGE = "Bonjour ${Prénom} ${Nom}, votre commande ${Ref} vous attend à ${Ville} jusqu'à samedi."
HEADER = ["SMS", "Prénom", "Nom", "Ref", "Ville", "CP"]
FIRST = ["Jean", "Jacqueline", "Zoé", "Karim", "Élise"]
TOWNS = ["Paris", "Boulogne-Billancourt", "Lyon", "Saint-Denis", "Nice"]


def main() -> None:
    n = size(500_000)
    with ground():
        from django.db import connection

        from carillon.services import preparation

        campaign = draft(n, traffic="MKG")
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
                number = 33600000000 + i * 7 % 39_999_999
                fields = f'"0{number - 33000000000}","{FIRST[i % 5]}","Durand{i % 97}","R{i:07d}","{TOWNS[i % 5]}","75{i % 20:03d}"'
                copy.write(f"{account_id}\t{first + i}\t{list_id}\t{i + 1}\t{number}\tFR\t1\t{{{fields}}}\n")
        cursor.execute("ANALYZE recipient")


if __name__ == "__main__":
    main()
