"""Client and simulator over real loopback sockets: the ordinary life of a connector."""

from __future__ import annotations

import pytest

from carillon.carriers.base import CarrierState
from carillon.carriers.simulator import Power
from carillon.domain.status import Status
from tests.carriers.ear import FRENCHMAN, Ear, carrier_to, looped, outbound, simulator

LONG = "Vos billets d'été à 50 € : réservez déjà ! " * 10


@looped
async def test_a_message_its_answer_and_its_receipt():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(7, to=33699000016, campaign_id=3)])
        await ear.until(lambda: ear.receipts)
        (answer,) = ear.answers
        assert (answer.message_id, answer.segment, answer.segments, answer.status) == (7, 1, 1, Status.SENT)
        (receipt,) = ear.receipts
        assert (receipt.carrier_message_id, receipt.status) == (answer.carrier_message_id, Status.DELIVERED)
        assert (receipt.msisdn, receipt.sender) == (33699000016, "ACME")
        assert ear.log.index("written") < ear.log.index("answers") < ear.log.index("receipts")
        await ear.until(lambda: smsc.centre.counts.receipts_stored == 1)
        assert (carrier.health.submitted, carrier.health.answered, carrier.health.receipts) == (1, 1, 1)


@looped
async def test_three_segments_with_accents_and_euros_reach_the_phone_whole():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(1, text=LONG)])
        await ear.until(lambda: len(ear.receipts) == 3)
        assert sorted((answer.segment, answer.segments) for answer in ear.answers) == [(1, 3), (2, 3), (3, 3)]
        assert len({answer.carrier_message_id for answer in ear.answers}) == 3
        (text,) = smsc.centre.handsets.texts(str(FRENCHMAN))
        assert (text["text"], text["segments"], text["peer"]) == (LONG, 3, "ACME")


@pytest.mark.parametrize("long_messages", ["sar", "message_payload"])
@looped
async def test_other_ways_for_long_messages(long_messages):
    async with simulator() as smsc, carrier_to(smsc.port, long_messages=long_messages) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(1, text=LONG)])
        await ear.until(lambda: smsc.centre.handsets.texts(str(FRENCHMAN)))
        assert smsc.centre.handsets.texts(str(FRENCHMAN))[0]["text"] == LONG


@pytest.mark.parametrize("status", [10, 16, 20, 22, 23, 26, 27, 29, 31])
@looped
async def test_magic_numbers_end_in_their_status(status):
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(to=33699000000 + status)])
        await ear.until(lambda: ear.receipts)
        assert ear.receipts[0].status == status


@pytest.mark.parametrize(("number", "status", "error"), [(13, 13, 0x0B), (32, 32, 0x0A), (12, 12, 0x02)])
@looped
async def test_a_refusal_is_final_and_carries_the_smscs_code(number, status, error):
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(to=33699000000 + number)])
        await ear.until(lambda: ear.answers)
        (answer,) = ear.answers
        assert (answer.status, answer.error, answer.is_retryable, answer.carrier_message_id) == (
            status,
            error,
            False,
            "",
        )


@looped
async def test_a_system_error_may_be_handed_over_again():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(to=33699000092)])
        await ear.until(lambda: ear.answers)
        assert ear.answers[0].is_retryable
        carrier.submit([outbound(to=33699000092)])
        await ear.until(lambda: len(ear.answers) == 2)
        assert ear.answers[1].status == Status.SENT
        carrier.submit([outbound(to=33699000092)])
        await ear.until(lambda: len(ear.answers) == 3)
        assert ear.answers[2].is_retryable  # every other time


@looped
async def test_a_receipt_is_acknowledged_only_when_it_is_committed():
    ear = Ear(acks_at_once=False)
    async with simulator() as smsc, carrier_to(smsc.port, ear=ear) as (carrier, _):
        await ear.bound()
        carrier.submit([outbound(number) for number in range(3)])
        await ear.until(lambda: len(ear.receipts) == 3)
        assert smsc.centre.counts.receipts_stored == 0
        carrier.acknowledge(ear.acks[:2])
        await ear.until(lambda: smsc.centre.counts.receipts_stored == 2)


@looped
async def test_a_receipt_may_overtake_its_answer():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        smsc.centre.options.answer_delay_s = 0.2
        carrier.submit([outbound(to=33699000093)])
        await ear.until(lambda: ear.answers)
        assert ear.log.index("receipts") < ear.log.index("answers")
        assert ear.receipts[0].carrier_message_id == ear.answers[0].carrier_message_id


@looped
async def test_a_pair_sends_on_one_bind_and_hears_on_the_other():
    async with simulator() as smsc, carrier_to(smsc.port, bind="pair", binds=2) as (carrier, ear):
        await ear.until(lambda: carrier.health.extra.get("binds") == 4)
        assert carrier.health.window == 2 * carrier.options.window
        carrier.submit([outbound(number) for number in range(50)])
        await ear.until(lambda: len(ear.receipts) == 50 and len(ear.answers) == 50)
        smsc.inject_mo(str(FRENCHMAN), text="STOP")
        await ear.until(lambda: ear.inbounds)
        assert (ear.inbounds[0].msisdn, ear.inbounds[0].to, ear.inbounds[0].text) == (FRENCHMAN, "ACME", "STOP")
        await ear.until(lambda: smsc.centre.counts.texts_stored == 1)


@looped
async def test_a_long_reply_is_joined_and_acknowledged_whole():
    async with simulator() as smsc, carrier_to(smsc.port) as (_, ear):
        await ear.bound()
        smsc.inject_mo(str(FRENCHMAN), to="36184", text="Noël 🎄 " * 30)
        await ear.until(lambda: ear.inbounds)
        assert ear.inbounds[0].text == "Noël 🎄 " * 30
        await ear.until(lambda: smsc.centre.counts.texts_stored == 4)


@looped
async def test_ids_in_other_forms_meet():
    async with (
        simulator(answer_ids="HEX", receipt_ids="decimal", receipt_tlvs=False) as smsc,
        carrier_to(smsc.port, answer_ids="hex", receipt_ids="decimal") as (carrier, ear),
    ):
        await ear.bound()
        carrier.submit([outbound()])
        await ear.until(lambda: ear.receipts and ear.answers)
        assert ear.answers[0].carrier_message_id == ear.receipts[0].carrier_message_id


@looped
async def test_the_window_is_never_exceeded_and_notifications_go_first():
    async with simulator(answer_delay_s=0.02) as smsc, carrier_to(smsc.port, window=5) as (carrier, ear):
        await ear.bound()
        assert carrier.room() == 10
        carrier.submit([outbound(number) for number in range(30)])
        assert len(ear.written) == 5
        assert carrier.room() == 0
        carrier.submit([outbound(99, is_notification=True)])
        await ear.until(lambda: len(ear.answers) == 31)
        assert ear.written.index(99) == 5
        assert [number for number in ear.written if number != 99] == list(range(30))


@looped
async def test_the_rate_counts_segments():
    async with simulator() as smsc, carrier_to(smsc.port, rate=100.0) as (carrier, ear):
        await ear.bound()
        assert carrier.room() <= 200
        carrier.submit([outbound(number, text=LONG) for number in range(10)])
        assert len(ear.written) == 10  # a tenth of a second's worth of segments; the other 20 as time allows
        await ear.until(lambda: len(ear.answers) == 30)


@looped
async def test_a_phone_that_is_off_gets_its_text_when_it_is_on():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        smsc.switch(str(FRENCHMAN), Power.OFF)
        carrier.submit([outbound(1), outbound(2, to=33612345679)])
        await ear.until(lambda: ear.receipts)
        assert ear.receipts[0].msisdn == 33612345679
        assert smsc.centre.handsets.texts(str(FRENCHMAN)) == []
        smsc.switch(str(FRENCHMAN), Power.ON)
        await ear.until(lambda: len(ear.receipts) == 2)
        assert ear.receipts[1].status == Status.DELIVERED


@looped
async def test_a_text_that_fits_in_no_pdu_is_refused_alone():
    async with simulator() as smsc, carrier_to(smsc.port) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(1, sender="x" * 30), outbound(2)])
        await ear.until(lambda: len(ear.answers) == 2)
        assert {answer.message_id: answer.status for answer in ear.answers} == {1: Status.PROCESSING, 2: Status.SENT}
        assert ear.written == [2]


@looped
async def test_states_are_told_and_closing_gives_back_what_waits():
    async with simulator(answer_delay_s=0.1) as smsc, carrier_to(smsc.port, window=2) as (carrier, ear):
        await ear.bound()
        carrier.submit([outbound(number) for number in range(5)])
        await carrier.close()
        assert [answer.message_id for answer in ear.answers] == [0, 1]
        assert [message.message_id for message in ear.unsent] == [2, 3, 4]
        assert ear.lost == []
        assert ear.states == [CarrierState.BOUND, CarrierState.CLOSED]
        assert carrier.room() == 0
        carrier.submit([outbound(9)])
        assert ear.unsent[-1].message_id == 9
        await ear.until(lambda: not smsc.centre.clients)
