"""`make bench-report`: the CSV of SIZE delivered messages, against COPY TO of the same join by PostgreSQL alone."""

from __future__ import annotations

import time

from bench.ground import ground, machine, peak_mb, say, size
from bench.prepare import draft


def main() -> None:
    n = size(500_000)
    with ground():
        from datetime import UTC, datetime

        from django.db import connection

        from carillon.services import launching, preparation
        from carillon.services.reports import Report, csv_pieces

        campaign = draft(n, traffic="NOTIFICATION")
        campaign = launching.launch(preparation.prepare(campaign.pk), actor=None, now=datetime.now(UTC))
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO submission SELECT id, 1, 1, now(), now(), account_id, campaign_id, connector_id, 16, 0, price,"
                " id::text FROM message"
            )
            cursor.execute("ANALYZE submission")
        before = peak_mb()
        report = Report(campaign)
        started = time.perf_counter()
        written = sum(len(piece) for piece in csv_pieces(report.columns(), report.rows()))
        ours = time.perf_counter() - started
        started = time.perf_counter()
        with (
            connection.cursor() as cursor,
            cursor.copy(
                "COPY (SELECT r.list_id, r.line, m.msisdn, s.status, s.done_at, m.country, r.fields FROM message m"
                " JOIN recipient r ON r.account_id = m.account_id AND r.id = m.recipient_id"
                " LEFT JOIN submission s ON s.message_id = m.id ORDER BY m.id) TO STDOUT (FORMAT csv, DELIMITER ';')"
            ) as copy,
        ):
            for _ in copy:
                pass
        bare = time.perf_counter() - started
        say(
            "report", rows=n, per_second=n / ours, seconds=ours, copy_per_second=n / bare, ratio_to_copy=bare / ours,
            megabytes=written / 1e6, memory_grew_mb=peak_mb() - before, machine=machine(),
        )  # fmt: skip


if __name__ == "__main__":
    main()
