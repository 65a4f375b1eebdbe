"""One bind driven by octets alone: no socket, no clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.faults import FaultLog
from carillon.carriers.smpp.pdu import Bind, Framer, Message
from carillon.carriers.smpp.session import Session, State

DELIVERY = pdu.encode_message(Message(source="33612345678", destination="36000", short_message=b"STOP"))


def sent(session: Session) -> list[tuple[int, int, int, bytes]]:
    return Framer().feed(session.take_output())


def bound(command: int = pdu.BIND_TRANSCEIVER, **options: float) -> Session:
    session = Session(Bind("user", "pass"), command, **options)
    session.start(0.0)
    sent(session)
    assert session.receive(pdu.pack(command | pdu.RESPONSE, 1, b"smsc\0"), 0.0).is_bound
    return session


def test_it_binds_first():
    session = Session(Bind("user", "pass"), pdu.BIND_TRANSCEIVER)
    assert session.room == 0
    session.start(0.0)
    assert session.state is State.BINDING
    assert sent(session) == [(pdu.BIND_TRANSCEIVER, 0, 1, pdu.encode_bind(Bind("user", "pass")))]


def test_a_refused_bind_says_why():
    session = Session(Bind("user", "pass"), pdu.BIND_TRANSMITTER)
    session.start(0.0)
    session.receive(pdu.pack(pdu.BIND_TRANSMITTER | pdu.RESPONSE, 1, status=pdu.RINVPASWD), 0.0)
    assert session.state is State.CLOSED
    assert session.reason == "bind refused: ESME_RINVPASWD (0x0E): password is wrong"


def test_answers_find_their_message_in_any_order():
    session = bound(window=2)
    session.submit(b"one", "first", 1.0)
    session.submit(b"two", "second", 1.0)
    assert session.room == 0
    sequences = [frame[2] for frame in sent(session)]
    chunk = session.receive(
        pdu.pack(pdu.SUBMIT_SM_RESP, sequences[1], b"id2\0") + pdu.pack(pdu.SUBMIT_SM_RESP, sequences[0], status=0x58),
        1.25,
    )
    assert chunk.answers == [("second", 0, "id2"), ("first", 0x58, "")]
    assert chunk.latency_s == pytest.approx(0.25)
    assert session.room == 2


def test_an_answer_to_nothing_is_noted_and_ignored():
    chunk = bound().receive(pdu.pack(pdu.SUBMIT_SM_RESP, 77, b"id\0"), 1.0)
    assert chunk.answers == []
    assert "answer to nothing we sent" in chunk.faults[0]


def test_a_delivery_waits_for_its_acknowledgement():
    session = bound()
    chunk = session.receive(pdu.pack(pdu.DELIVER_SM, 5, DELIVERY), 1.0)
    assert [(sequence, message.short_message) for sequence, message in chunk.deliveries] == [(5, b"STOP")]
    assert sent(session) == []
    session.acknowledge(5)
    assert sent(session) == [(pdu.DELIVER_SM_RESP, 0, 5, b"\0")]


def test_a_delivery_by_data_sm_is_answered_in_kind():
    session = bound()
    body = b"\0\1\x01336\0\5\0ACME\0\x04\1\0" + bytes.fromhex("001e0003") + b"a1\0"
    assert len(session.receive(pdu.pack(pdu.DATA_SM, 6, body), 1.0).deliveries) == 1
    session.acknowledge(6)
    assert sent(session)[0][0] == pdu.DATA_SM_RESP


@pytest.mark.parametrize(
    ("label", "frame", "command", "status"),
    [
        ("broken delivery", pdu.pack(pdu.DELIVER_SM, 9, DELIVERY + b"\4"), pdu.DELIVER_SM_RESP, pdu.RINVOPTPARSTREAM),
        ("unknown command", pdu.pack(0x0BAD, 9), pdu.GENERIC_NACK, pdu.RINVCMDID),
        ("a submit to an ESME", pdu.pack(pdu.SUBMIT_SM, 9, DELIVERY), pdu.SUBMIT_SM_RESP, pdu.RINVBNDSTS),
        ("enquire_link", pdu.pack(pdu.ENQUIRE_LINK, 9), pdu.ENQUIRE_LINK_RESP, pdu.ROK),
        ("unbind", pdu.pack(pdu.UNBIND, 9), pdu.UNBIND_RESP, pdu.ROK),
    ],
)
def test_what_the_smsc_sends_is_answered_as_specified(label, frame, command, status):
    session = bound()
    session.receive(frame, 1.0)
    assert [(frame[0], frame[1], frame[2]) for frame in sent(session)] == [(command, status, 9)]


@pytest.mark.parametrize(
    ("command", "is_fault"),
    [
        (pdu.ALERT_NOTIFICATION, False),
        (pdu.OUTBIND, False),
        (pdu.ENQUIRE_LINK_RESP, False),
        (pdu.RESPONSE | 0x0BAD, True),
    ],
)
def test_some_commands_ask_for_no_answer(command, is_fault):
    session = bound()
    assert bool(session.receive(pdu.pack(command, 9), 1.0).faults) is is_fault
    assert sent(session) == []
    assert session.state is State.BOUND


def test_a_delivery_before_the_bind_is_refused():
    session = Session(Bind("user"), pdu.BIND_TRANSCEIVER)
    session.start(0.0)
    sent(session)
    assert session.receive(pdu.pack(pdu.DELIVER_SM, 3, DELIVERY), 0.0).deliveries == []
    assert sent(session)[0][:3] == (pdu.DELIVER_SM_RESP, pdu.RINVBNDSTS, 3)


def test_a_lost_stream_is_nacked_and_closed():
    session = bound()
    session.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n", 1.0)
    assert session.state is State.CLOSED
    assert sent(session)[0][:2] == (pdu.GENERIC_NACK, pdu.RINVCMDLEN)
    assert session.receive(pdu.pack(pdu.ENQUIRE_LINK, 1), 1.0).faults == []


def test_a_nack_answers_the_message_it_names():
    session = bound()
    session.submit(b"x", "token", 1.0)
    sequence = sent(session)[0][2]
    assert session.receive(pdu.pack(pdu.GENERIC_NACK, sequence, status=pdu.RINVCMDLEN), 1.0).answers == [
        ("token", 2, "")
    ]


def test_a_quiet_line_is_asked_and_then_given_up():
    session = bound(enquire_link_s=10.0)
    assert session.tick(9.0) == [] and sent(session) == []
    session.tick(10.0)
    assert sent(session)[0][0] == pdu.ENQUIRE_LINK
    session.receive(pdu.pack(pdu.ENQUIRE_LINK_RESP, 2), 12.0)
    session.tick(20.0)
    assert session.state is State.BOUND
    session.tick(22.0)
    assert sent(session)[0][0] == pdu.ENQUIRE_LINK
    session.tick(33.0)
    assert session.state is State.CLOSED
    assert session.reason == "no answer to enquire_link within 10 s"


def test_a_bind_without_answer_is_given_up():
    session = Session(Bind("user"), pdu.BIND_TRANSCEIVER, response_timeout_s=5.0)
    session.start(0.0)
    session.tick(6.0)
    assert session.state is State.CLOSED


def test_an_overdue_answer_frees_the_window_and_may_still_come():
    session = bound(window=1, response_timeout_s=5.0)
    session.submit(b"x", "token", 1.0)
    sequence = sent(session)[0][2]
    assert session.tick(5.0) == []
    assert session.tick(6.5) == ["token"]
    assert session.room == 1
    assert session.receive(pdu.pack(pdu.SUBMIT_SM_RESP, sequence, b"late\0"), 7.0).answers == [("token", 0, "late")]
    assert session.receive(pdu.pack(pdu.SUBMIT_SM_RESP, sequence, b"late\0"), 7.0).answers == []


def test_what_was_open_at_the_end_is_handed_back_in_order():
    session = bound()
    for token in ("a", "b", "c"):
        session.submit(b"x", token, 1.0)
    session.end("connection lost")
    assert session.take_open() == ["a", "b", "c"]
    assert session.take_open() == []


def test_unbinding():
    session = bound()
    session.unbind()
    assert session.state is State.UNBINDING and session.room == 0
    assert sent(session)[0][0] == pdu.UNBIND
    session.receive(pdu.pack(pdu.UNBIND_RESP, 2), 1.0)
    assert session.state is State.CLOSED


def test_the_same_fault_is_logged_once_an_hour(caplog):
    log = FaultLog("smsc")
    for number in range(1000):
        log.note([f"unknown command: 0x00000BAD status 0x0 sequence {number} body {number:04x}"], 10.0)
    log.note(["bind answered twice"], 11.0)
    assert len(caplog.records) == 2
    log.note(["unknown command: 0x00000BAD status 0x0 sequence 5 body -"], 3700.0)
    assert "(and 999 like it before)" in caplog.text


def test_a_receiver_never_has_room():
    assert bound(pdu.BIND_RECEIVER).room == 0


def test_sequence_numbers_start_again_at_one():
    session = bound()
    session._sequence = pdu.MAX_SEQUENCE
    session.submit(b"x", "token", 1.0)
    assert sent(session)[0][2] == 1


frames = st.one_of(
    st.binary(max_size=80),
    st.builds(
        lambda command, sequence, status, body: pdu.pack(command, sequence, body, status=status),
        st.sampled_from([*pdu.REQUESTS, *(command | pdu.RESPONSE for command in pdu.REQUESTS), pdu.GENERIC_NACK, 0x0BAD]),
        st.integers(0, 5), st.integers(0, 0xFF), st.binary(max_size=60) | st.just(DELIVERY),
    ),
)  # fmt: skip


@given(st.lists(frames, max_size=12), st.sampled_from(sorted(pdu.BINDS)))
def test_no_smsc_can_make_it_raise_or_answer_twice(chunks, command):
    session = Session(Bind("user"), command, window=3)
    session.start(0.0)
    taken = []
    for now, chunk in enumerate(chunks):
        while session.room:
            session.submit(b"x", object(), float(now))
        taken += [token for token, _, _ in session.receive(chunk, float(now)).answers]
        session.take_output()
    taken += session.take_open()
    assert len({id(token) for token in taken}) == len(taken)
