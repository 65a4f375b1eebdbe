"""Throws octets at everything that reads octets from an SMSC, until the time is over: python -m bench.fuzz_pdu --seconds 60

Mutates real PDUs: flips, cuts, repeats, splices, lying lengths. Any exception but PduError is a fault, printed with the octets that
caused it. Where atheris is installed (`make fuzz` does it) coverage chooses the mutations; otherwise they are our own.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from carillon.carriers.smpp import pdu
from carillon.carriers.smpp.inbound import InboundReader
from carillon.carriers.smpp.options import SmppOptions
from carillon.carriers.smpp.pdu import Bind, Framer, Message, PduError
from carillon.carriers.smpp.receipts import ReceiptReader
from carillon.carriers.smpp.session import Session

OPTIONS = SmppOptions(host="fuzz", system_id="fuzz", reassembly_s=0.0)
RECEIPT = b"id:1a2b sub:001 dlvrd:001 submit date:2612010951 done date:2612010952 stat:UNDELIV err:027 text:Bonjour"
TLVS = [(pdu.TLV_RECEIPTED_MESSAGE_ID, b"1a2b\0"), (pdu.TLV_MESSAGE_STATE, b"\5")]
SEEDS = [
    pdu.pack(pdu.BIND_TRANSCEIVER | pdu.RESPONSE, 1, b"smsc\0"),
    pdu.pack(pdu.SUBMIT_SM_RESP, 2, b"1a2b\0"),
    pdu.pack(pdu.SUBMIT_SM_RESP, 3, status=0x58),
    pdu.pack(pdu.DELIVER_SM, 4, pdu.encode_message(Message(esm_class=4, short_message=RECEIPT, tlvs=TLVS))),
    pdu.pack(
        pdu.DELIVER_SM, 5, pdu.encode_message(Message(source="336", esm_class=0x40, short_message=b"\5\0\3\1\2\1STOP"))
    ),
    pdu.pack(pdu.DATA_SM, 6, b"\0\1\1\x0033\0\1\1\x0033\0\4\0\0" + pdu.encode_tlvs(TLVS)),
    pdu.pack(pdu.ENQUIRE_LINK, 7),
    pdu.pack(pdu.GENERIC_NACK, 2, status=2),
    pdu.pack(pdu.UNBIND, 8),
]


def mutated(chance: random.Random) -> bytes:
    stream = bytearray(b"".join(chance.choices(SEEDS, k=chance.randint(1, 4))))
    for _ in range(chance.randint(0, 8)):
        if not stream:
            break
        at, kind = chance.randrange(len(stream)), chance.randrange(6)
        if kind == 0:
            stream[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            stream[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del stream[at : at + chance.randint(1, 20)]
        elif kind == 3:
            stream[at:at] = stream[at : at + chance.randint(1, 20)]
        elif kind == 4:
            stream[at:at] = chance.randbytes(chance.randint(1, 20))
        else:
            stream[at : at + 2] = chance.choice((0, 16, 255, 65535)).to_bytes(2, "big")
    return bytes(stream)


def read_everything(octets: bytes) -> None:
    """One connection that receives `octets`, in two pieces; and the simulator's side of the same."""
    session, receipts, inbounds = (
        Session(Bind("fuzz"), pdu.BIND_TRANSCEIVER),
        ReceiptReader(OPTIONS),
        InboundReader(OPTIONS),
    )
    session.start(0.0)
    session.receive(SEEDS[0], 0.0)
    session.submit(b"x", object(), 0.0)
    half = len(octets) // 2
    for piece in (octets[:half], octets[half:]):
        for sequence, message in session.receive(piece, 1.0).deliveries:
            if receipts.read(message) is None:
                inbounds.read(message, sequence, 1.0)
            session.acknowledge(sequence)
        inbounds.expire(2.0)
    session.tick(100.0)
    session.take_output()
    for frame in Framer().feed(octets):
        receipts.quick(frame[3])
        for decode in (pdu.decode_message, pdu.decode_bind, pdu.decode_data):
            try:
                decode(frame[3])
            except PduError:
                continue


def fuzz(seconds: float, seed: int) -> int:
    chance = random.Random(seed)
    ends, rounds = time.monotonic() + seconds, 0
    tracemalloc.start()
    while time.monotonic() < ends:
        octets = mutated(chance)
        try:
            read_everything(octets)
        except Exception as error:
            print(f"{type(error).__name__}: {error}\n{octets.hex()}")
            raise
        rounds += 1
    held, peak = tracemalloc.get_traced_memory()
    print(f"{rounds:,} streams, no fault (seed {seed}); memory {held // 1024} KiB held, {peak // 1024} KiB at most")
    return rounds


def fuzz_by_coverage(seconds: float, seed: int) -> None:
    """libFuzzer grows the streams that reach new code from the seeds; it prints what it does, and a fault with its octets."""
    import atheris  # type: ignore[import-not-found]

    atheris.instrument_all()
    with tempfile.TemporaryDirectory() as corpus:
        for number, stream in enumerate((*SEEDS, b"".join(SEEDS))):
            Path(corpus, str(number)).write_bytes(stream)
        options = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-max_len=4096", f"-artifact_prefix={corpus}/"]
        atheris.Setup([sys.argv[0], *options, corpus], read_everything)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    if importlib.util.find_spec("atheris"):
        fuzz_by_coverage(given.seconds, given.seed)
    else:
        fuzz(given.seconds, given.seed)


if __name__ == "__main__":
    main()
