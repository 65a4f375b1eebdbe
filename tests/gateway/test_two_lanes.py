"""Two gateways share one connector: the SMSC tells receipts to either, and no worker is needed to bring them home."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests import builders
from tests.carriers.ear import looped
from tests.gateway.station import Station, simulating

FINAL = "SELECT count(*) FROM submission WHERE connector_id = %(c)s AND status = 16"
UNMATCHED = "SELECT count(*) FROM receipt_unmatched WHERE connector_id = %(c)s"
BOUND = "SELECT count(*) FROM gateway_run WHERE connector_id = %(c)s AND alive"
N = 1000


def test_receipts_that_come_to_the_gateway_without_the_answer_are_applied(shared_db: str, tmp_path: Path) -> None:
    one = Station(shared_db, tmp_path)
    other = Station(shared_db, tmp_path)
    other.row = one.row
    one.seats = other.seats = 2
    account = builders.make_account(balance=10_000_000)
    campaign = builders.make_sendable_campaign(one.row, n=N, slice_size=50, account=account, is_sending=False)

    @looped
    async def run() -> None:
        async with simulating(one, receipt_delay_s=0.0):
            other.simulator = one.simulator
            one.start()
            other.start()
            try:
                await one.until(BOUND, 2)
                await one.until_true(lambda: len(one.simulator.centre.clients) == 2)
                one.do("UPDATE campaign SET is_sending = true WHERE id = %(k)s", k=campaign.pk)
                await one.until(FINAL, N)
                await one.until(UNMATCHED, 0)
                await one.stop()
                await other.stop()
            finally:
                if not other.task.done():
                    other.task.cancel()
                    await asyncio.wait([other.task])

    run()
    finding = one.audit(account)
    assert finding.faults == []
    assert finding.by_status[campaign.pk] == {16: N}
