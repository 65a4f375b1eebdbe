"""What a real SMSC does on a bad day. After each: every message answered, given back or in doubt, and nothing sent twice."""

from __future__ import annotations

import asyncio

import pytest

from carillon.carriers.base import CarrierState
from carillon.carriers.simulator import Simulator
from carillon.domain.status import Status
from tests.carriers.ear import FRENCHMAN, Ear, carrier_to, looped, outbound, simulator

LONG = "Vos billets d'été à 50 € : réservez déjà ! " * 10


def ids(ear: Ear) -> dict[str, list[int]]:
    return {
        "answered": sorted({answer.message_id for answer in ear.answers}),
        "lost": sorted(ear.lost),
        "unsent": sorted(message.message_id for message in ear.unsent),
    }


@pytest.mark.parametrize("reason", ["throttled", "queue full"])
@looped
async def test_a_throttled_connector_pauses_and_keeps_the_order(reason):
    async with simulator() as smsc, carrier_to(smsc.port, window=4) as (carrier, ear):
        await ear.bound()
        smsc.centre.refuse_next[0x58 if reason == "throttled" else 0x14] = 10
        carrier.submit([outbound(number) for number in range(20)])
        await ear.until(lambda: len(ear.answers) == 20)
        assert [answer.message_id for answer in ear.answers] == list(range(20))
        assert {answer.status for answer in ear.answers} == {Status.SENT}
        assert carrier.health.throttled == 10
        assert CarrierState.THROTTLED in ear.states and ear.states[-1] is CarrierState.BOUND
        assert ids(ear) == {"answered": list(range(20)), "lost": [], "unsent": []}
        await ear.until(lambda: smsc.centre.counts.accepted == 20)


@looped
async def test_segments_of_one_message_may_be_throttled_apart():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        smsc.centre.refuse_next[0x58] = 2
        carrier.submit([outbound(1, text=LONG)])
        await ear.until(lambda: len(ear.receipts) == 3)
        assert sorted(answer.segment for answer in ear.answers) == [1, 2, 3]


@looped
async def test_throttled_for_too_long_gives_back_what_was_never_taken():
    async with simulator() as smsc, carrier_to(smsc.port, window=2, give_back_s=0.1) as (carrier, ear):
        await ear.bound()
        smsc.centre.refuse_next[0x58] = 1_000_000
        carrier.submit([outbound(number) for number in range(5)])
        await ear.until(lambda: len(ear.unsent) == 5)
        assert ids(ear) == {"answered": [], "lost": [], "unsent": [0, 1, 2, 3, 4]}
        assert carrier.room() == 0 or carrier.health.state is CarrierState.BOUND


@looped
async def test_a_connection_reset_leaves_in_doubt_only_what_was_written_and_unanswered():
    async with simulator(answer_delay_s=30.0) as smsc, carrier_to(smsc.port, window=3) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(number) for number in range(10)])
        await ear.until(lambda: smsc.centre.counts.accepted == 3)
        smsc.drop_connections()
        await ear.until(lambda: ear.lost and ear.unsent)
        assert ids(ear) == {"answered": [], "lost": [0, 1, 2], "unsent": list(range(3, 10))}
        await ear.bound()
        # the SMSC had them: its receipts settle the doubt (twice where the reset overtook the acknowledgement)
        await ear.until(lambda: len({receipt.carrier_message_id for receipt in ear.receipts}) == 3)
        assert smsc.centre.counts.submits == 3
        assert carrier.health.reconnects == 1


@looped
async def test_the_segments_of_a_lost_message_that_were_not_written_never_are():
    async with simulator(answer_delay_s=30.0) as smsc, carrier_to(smsc.port, window=2) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(1, text=LONG), outbound(2)])
        await ear.until(lambda: smsc.centre.counts.accepted == 2)
        smsc.drop_connections()
        await ear.until(lambda: ear.lost and ear.unsent)
        assert ids(ear) == {"answered": [], "lost": [1], "unsent": [2]}
        await ear.until(lambda: smsc.centre.counts.binds == 2)
        assert smsc.centre.counts.submits == 2


@looped
async def test_one_bind_of_several_may_go_without_giving_back():
    async with simulator() as smsc, carrier_to(smsc.port, binds=2, window=1) as (carrier, ear):
        await ear.until(lambda: carrier.health.extra.get("binds") == 2)
        smsc.centre.clients[0].reset()
        carrier.submit([outbound(number) for number in range(10)])
        await ear.until(lambda: len({answer.message_id for answer in ear.answers} | set(ear.lost)) == 10)
        assert ear.unsent == []


@looped
async def test_receipts_not_acknowledged_come_again_after_a_reconnection():
    ear = Ear(acks_at_once=False)
    async with simulator() as smsc, carrier_to(smsc.port, ear=ear) as (carrier, _):
        await ear.bound()
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.receipts)
        smsc.drop_connections()
        await ear.until(lambda: len(ear.receipts) == 2)
        assert ear.receipts[0] == ear.receipts[1]
        carrier.acknowledge(ear.acks[:1])  # of the connection that is gone: says nothing to the new one
        carrier.acknowledge(ear.acks[1:])
        await ear.until(lambda: smsc.centre.counts.receipts_stored == 1)


@looped
async def test_silence_is_noticed_by_enquire_link():
    async with simulator() as smsc, carrier_to(smsc.port, enquire_link_s=0.2) as (carrier, ear):
        await ear.bound()
        smsc.centre.options.is_mute = True
        await ear.until(lambda: CarrierState.DOWN in ear.states)
        smsc.centre.options.is_mute = False
        await ear.until(lambda: ear.states[-1] is CarrierState.BOUND)
        assert carrier.health.reconnects >= 1


@looped
async def test_an_answer_that_never_comes_puts_the_message_in_doubt_and_frees_the_window():
    async with simulator() as smsc, carrier_to(smsc.port, window=1, response_timeout_s=0.3) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(1, to=33699000098), outbound(2)])
        await ear.until(lambda: ear.lost and ear.answers)
        assert ids(ear)["answered"] == [2]
        assert ear.lost[0] == 1


@looped
async def test_a_late_answer_still_comes():
    async with (
        simulator(answer_delay_s=0.6) as smsc,
        carrier_to(smsc.port, response_timeout_s=0.2) as (carrier, ear),
    ):
        await ear.until(lambda: smsc.centre.counts.binds)
        await ear.bound()
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.answers)
        assert ear.lost == [1]
        assert ear.answers[0].status == Status.SENT


@looped
async def test_a_late_refusal_is_told_and_not_sent_again_here():
    async with (
        simulator(answer_delay_s=0.6) as smsc,
        carrier_to(smsc.port, response_timeout_s=0.2) as (carrier, ear),
    ):
        await ear.bound()
        smsc.centre.refuse_next[0x58] = 1
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.answers)
        assert ear.lost == [1]
        assert (ear.answers[0].is_retryable, ear.answers[0].error) == (True, 0x58)
        carrier.submit([outbound(2)])
        await ear.until(lambda: smsc.centre.counts.accepted)
        assert smsc.centre.counts.submits == 2


@looped
async def test_hanging_up_before_the_answer_is_a_doubt_for_that_message_only():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(1), outbound(2, to=33699000096)])
        await ear.until(lambda: ear.lost)
        assert ids(ear)["answered"] == [1] and ear.lost == [2]
        await ear.until(lambda: {receipt.msisdn for receipt in ear.receipts} == {FRENCHMAN, 33699000096})


@looped
async def test_a_refused_bind_is_tried_again_and_its_reason_shown():
    async with simulator(password="other") as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.until(lambda: CarrierState.DOWN in ear.states)
        assert carrier.health.reason == "bind refused: ESME_RINVPASWD (0x0E): password is wrong"
        assert carrier.room() == 0
        smsc.centre.options.password = None
        await ear.bound()


@looped
async def test_an_smsc_that_is_not_there_yet():
    async with simulator() as smsc:
        port = smsc.port
    async with carrier_to(port) as (carrier, ear):
        await ear.until(lambda: CarrierState.DOWN in ear.states)
        assert "cannot connect" in carrier.health.reason
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.unsent)


@looped
async def test_a_server_that_speaks_something_else():
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        async with carrier_to(server.sockets[0].getsockname()[1]) as (carrier, ear):
            await ear.until(lambda: CarrierState.DOWN in ear.states)
            assert "broke the stream" in carrier.health.reason
    finally:
        server.close()


@looped
async def test_closing_while_the_smsc_is_silent_reports_the_doubt():
    async with simulator(is_mute=False) as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        smsc.centre.options.is_mute = True
        carrier.submit([outbound(1)])
        await carrier.close(timeout_s=0.1)
        assert ear.lost == [1]


@looped
async def test_a_final_refusal_of_one_segment_ends_the_message():
    async with simulator(answer_delay_s=0.01) as smsc, carrier_to(smsc.port, window=1) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(1, to=33699000013, text=LONG), outbound(2)])
        await ear.until(lambda: len(ear.answers) == 4)
        assert [(answer.message_id, answer.segment, answer.status) for answer in ear.answers] == [
            (1, 1, 13), (1, 2, 13), (1, 3, 13), (2, 1, 24),
        ]  # fmt: skip
        assert ear.written == [1, 2]


class Dropper(Ear):
    """Resets the connection at the moment the connector is throttled: nothing is in flight then."""

    smsc: Simulator

    def on_state(self, state: CarrierState, reason: str) -> None:
        if state is CarrierState.THROTTLED:
            self.smsc.centre.options.rate = 0.0
            self.smsc.drop_connections()
        super().on_state(state, reason)


@looped
async def test_a_message_of_which_the_smsc_has_a_part_waits_for_the_next_connection():
    ear = Dropper()
    async with (
        simulator(rate=0.01) as ear.smsc,  # takes the first segment and throttles the second
        carrier_to(ear.smsc.port, ear=ear, window=1) as (carrier, _),
    ):
        await ear.bound()
        carrier.submit([outbound(1, text=LONG), outbound(2)])
        await ear.until(lambda: len(ear.answers) == 3)
        assert [answer.segment for answer in ear.answers] == [1, 2, 3]
        assert ids(ear) == {"answered": [1], "lost": [], "unsent": [2]}


@looped
async def test_a_message_of_which_the_smsc_has_a_part_is_in_doubt_when_the_carrier_closes():
    async with (
        simulator(rate=0.01) as smsc,
        carrier_to(smsc.port, window=1, pause_min_s=60, pause_max_s=60) as (carrier, ear),
    ):
        await ear.bound()
        carrier.submit([outbound(1, text=LONG), outbound(2)])
        await ear.until(lambda: carrier.health.throttled)
        await carrier.close()
        assert ids(ear) == {"answered": [1], "lost": [1], "unsent": [2]}


@looped
async def test_every_segment_is_answered_when_one_is_refused_and_another_throttled():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        smsc.centre.refuse_next |= {0x0B: 1, 0x58: 1}
        carrier.submit([outbound(1, text=LONG)])
        await ear.until(lambda: len(ear.answers) == 3)
        assert [(answer.segment, answer.status) for answer in ear.answers] == [(1, 13), (2, 12), (3, 24)]
        assert ear.written == [1, 1, 1]


@looped
async def test_a_system_error_for_one_segment_is_tried_again_here_and_then_ends_the_message():
    """Its siblings are out already, so the message cannot go back to the gateway."""
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        smsc.centre.refuse_next[0x08] = 2
        carrier.submit([outbound(1, text=LONG)])
        await ear.until(lambda: len(ear.answers) == 3)
        assert {answer.status for answer in ear.answers} == {Status.SENT}
        smsc.centre.refuse_next[0x08] = 1_000
        carrier.submit([outbound(2, text=LONG)])
        await ear.until(lambda: len(ear.answers) == 6)
        ended = [answer for answer in ear.answers if answer.message_id == 2]
        assert sorted(answer.segment for answer in ended) == [1, 2, 3]
        assert {(answer.status, answer.is_retryable) for answer in ended} == {(Status.PROCESSING, False)}


@looped
async def test_an_smsc_that_reads_slowly_is_not_flooded():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        (link,) = carrier._links
        link.pause_writing()
        carrier.submit([outbound(1)])
        assert ear.written == []
        link.resume_writing()
        await ear.until(lambda: ear.receipts)


@looped
async def test_a_code_beyond_all_tables_fits_the_database():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        smsc.centre.refuse_next[0x7FFF_FFFF] = 1
        carrier.submit([outbound(1)])
        await ear.until(lambda: ear.answers)
        assert (ear.answers[0].status, ear.answers[0].error) == (Status.UNKNOWN, 32767)


@looped
async def test_a_host_that_cannot_be_a_name():
    async with carrier_to(1, host="x" * 70 + ".localhost") as (carrier, ear):
        await ear.until(lambda: CarrierState.DOWN in ear.states)
        assert "cannot connect" in carrier.health.reason
