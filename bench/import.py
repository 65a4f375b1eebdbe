"""`make bench-import`: SIZE French rows of 6 columns, from the file to rows stored and judged, analysis written.

Beside it: csv.reader alone on the same file (the floor of any Python import) and COPY of the very rows that were stored
into the same emptied table (the floor of any import into PostgreSQL, which runs on the same cores).
"""

from __future__ import annotations

import csv
import random
import resource
import tempfile
import time
from pathlib import Path

from bench.ground import ground, machine, peak_mb, say, size

FIRST = ("Jean", "Jacqueline", "Zoé", "Karim", "Élise", "Marie-Thérèse")
LAST = ("Martin", "Durand", "Lefèvre", "Gaillard", "N'Guyen", "Petit")
TOWNS = ("Paris", "Boulogne-Billancourt", "Lyon", "Saint-Denis", "Nîmes")


def main() -> None:
    n = size(1_000_000)
    with ground() as home:
        from django.db import connection

        from carillon.models import Account
        from carillon.services import list_import, lists

        path = home / "clients.csv"
        write(path, n)
        started = time.perf_counter()
        with path.open(encoding="cp1252", newline="") as stream:
            assert sum(1 for _ in csv.reader(stream, delimiter=";")) == n + 1
        reading = time.perf_counter() - started
        account = Account.objects.create(name="bench")
        before = peak_mb()
        started = time.perf_counter()
        with path.open("rb") as file:
            item = lists.create_upload(account=account, user=None, file=file, file_name="clients.csv")
        stored = time.perf_counter() - started
        cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        item = list_import.import_file(item.pk)
        ours = time.perf_counter() - started
        cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime - cpu
        assert item.size == n
        memory = peak_mb()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM recipient WHERE list_id = %s", [item.pk])
            assert cursor.fetchone() == (n,)
        copying = copy_again(n)
        say(
            "import", rows=n, per_second=n / ours, seconds=ours, upload_seconds=stored, python_us_per_row=cpu / n * 1e6,
            valid=item.valid_count, invalid=item.invalid_count, duplicates=item.duplicate_count,
            megabytes=path.stat().st_size / 1e6,
            csv_reader_per_second=n / reading, copy_per_second=n / copying, ratio_to_copy=copying / ours,
            peak_mb=memory, peak_mb_before=before, machine=machine(),
        )  # fmt: skip


def write(path: Path, n: int) -> None:
    """Numbers as people write them: half of them plain, the rest spaced, +33, 33, without 0; 1 % landlines, 0.5 % empty."""
    rng = random.Random(20261201)
    with path.open("w", encoding="cp1252", newline="") as stream:
        stream.write("Civilité;Prénom;Nom;CP;Ville;SMS\r\n")
        for _ in range(n):
            digits = f"06{rng.choice('0123456')}{rng.randrange(10**7):07d}"
            draw = rng.random()
            if draw < 0.2:
                digits = " ".join(digits[i : i + 2] for i in range(0, 10, 2))
            elif draw < 0.35:
                digits = "+33" + digits[1:]
            elif draw < 0.45:
                digits = "33" + digits[1:]
            elif draw < 0.5:
                digits = digits[1:]
            elif draw < 0.51:
                digits = "0142345678"
            elif draw < 0.515:
                digits = ""
            title, postcode = rng.choice(("M.", "Mme", "")), f"{rng.randrange(1000, 95999):05d}"
            cells = (title, rng.choice(FIRST), rng.choice(LAST), postcode, rng.choice(TOWNS), digits)
            stream.write(";".join(cells) + "\r\n")


def copy_again(n: int) -> float:
    """Seconds to COPY the stored rows back, through a file so that nothing but COPY is measured."""
    from django.db import connection

    with tempfile.TemporaryFile() as rows, connection.cursor() as cursor:
        with cursor.copy("COPY recipient TO STDOUT") as copy:
            for piece in copy:
                rows.write(piece)
        cursor.execute("TRUNCATE recipient")
        rows.seek(0)
        started = time.perf_counter()
        with cursor.copy("COPY recipient FROM STDIN") as copy:
            while piece := rows.read(256 * 1024):
                copy.write(piece)
        seconds = time.perf_counter() - started
        cursor.execute("SELECT count(*) FROM recipient")
        assert cursor.fetchone() == (n,)
    return seconds


if __name__ == "__main__":
    main()
