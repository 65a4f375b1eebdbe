"""What people answered, as conversations: one per telephone number, the latest first.

A user sees the answers to their own campaigns and those given to them; an administrator those of the account.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from carillon.domain.errors import InvalidInput, NotFound
from carillon.domain.segments import MAX_SEGMENTS, measure, to_gsm
from carillon.models import Account, Campaign, Reply, User
from carillon.services import replies
from carillon.services.reports import harmless

FEW = 500  # texts whose conversations are looked for directly
MOST_TURNED = 1_500  # conversations one can turn to
MOST_SHOWN = 500  # texts of one conversation
BATCH = 2_000
MOST_ADDRESSES = 10


def visible(actor: User) -> QuerySet[Reply]:
    found = Reply.objects.filter(account_id=actor.account_id, direction__in=["MO", "MT"])
    if actor.is_admin:
        return found
    own = Campaign.objects.filter(user=actor).values("pk")
    return found.filter(Q(campaign_id__in=own) | Q(assigned_to=actor))


def unread(actor: User) -> int:
    """Conversations with something unread."""
    found = visible(actor).filter(direction="MO", read_at=None)
    return int(found.aggregate(n=Count("msisdn", distinct=True))["n"])


def conversations(actor: User, *, text: str = "", which: str = "") -> QuerySet[Reply]:
    """The latest text of each number. `which`: unread, mine or stop; `text`: words, or part of a number."""
    found = visible(actor)
    chosen = found.filter(direction="MO")
    if which == "unread":
        chosen = chosen.filter(read_at=None)
    elif which == "mine":
        chosen = chosen.filter(assigned_to=actor)
    elif which == "stop":
        chosen = chosen.filter(kind="stop")
    wanted = text.strip()
    if wanted:
        digits = "".join(c for c in wanted if c.isdigit()).removeprefix("0")
        by_number = _numbers_holding(actor.account_id, digits) if len(digits) >= 4 else []
        chosen = chosen.filter(Q(text__icontains=wanted) | Q(msisdn__in=by_number))
    # Walked from the newest on, each asked whether it is its number's latest: a page costs a page, however many there are.
    of_number = found.filter(msisdn=OuterRef("msisdn")).order_by("-received_at", "-id")
    latest = found.filter(pk=Subquery(of_number.values("pk")[:1])).select_related("assigned_to")
    return _holding(latest, chosen, is_everything=not (wanted or which)).order_by("-received_at", "-id")


def _holding(latest: QuerySet[Reply], chosen: QuerySet[Reply], *, is_everything: bool) -> QuerySet[Reply]:
    """Of these, the conversations with a chosen text: looked for directly when few are, else asked of each on the way."""
    if not is_everything:
        msisdns = list(chosen.values_list("msisdn", flat=True)[: FEW + 1])
        if len(msisdns) <= FEW:
            return latest.filter(msisdn__in=set(msisdns))
    one = chosen.filter(msisdn=OuterRef("msisdn")).order_by("-received_at")
    return latest.annotate(chosen_id=Subquery(one.values("pk")[:1])).filter(chosen_id__isnull=False)


def _numbers_holding(account_id: int, digits: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT msisdn FROM reply WHERE account_id = %s AND msisdn::text LIKE %s LIMIT 1000",
            [account_id, f"%{digits}%"],
        )
        return [row[0] for row in cursor.fetchall()]


def unread_of(actor: User, msisdns: Sequence[int]) -> dict[int, int]:
    """{number: unread texts}."""
    found = visible(actor).filter(msisdn__in=msisdns, direction="MO", read_at=None)
    return {row["msisdn"]: row["n"] for row in found.values("msisdn").annotate(n=Count("pk"))}


@dataclass(frozen=True, slots=True)
class Said:
    """One text: theirs (`MO`), an answer of ours (`MT`), or the campaign's message they answered (`campaign`)."""

    at: datetime
    direction: str
    text: str
    kind: str = ""
    campaign_id: int | None = None
    campaign_name: str = ""


@dataclass(slots=True)
class Conversation:
    msisdn: int
    said: list[Said]
    latest: Reply  # the last text of theirs: what one answers
    assigned_to: User | None = None
    statuses: dict[int, int] = field(default_factory=dict)


def conversation(actor: User, msisdn: int) -> Conversation:
    """Raises NotFound when this person sees nothing of that number."""
    rows = list(
        visible(actor).filter(msisdn=msisdn).select_related("assigned_to").order_by("-received_at", "-id")[:MOST_SHOWN]
    )
    theirs = [row for row in rows if row.direction == "MO"]
    if not theirs:
        raise NotFound("There is no such conversation", code="conversation_not_found")
    said = [Said(r.received_at, r.direction, r.text, r.kind, r.campaign_id) for r in rows]
    said += _sent([r.message_id for r in theirs if r.message_id is not None])
    assigned = next((row.assigned_to for row in theirs if row.assigned_to is not None), None)
    return Conversation(msisdn, sorted(said, key=lambda one: one.at), theirs[0], assigned)


def _sent(message_ids: Sequence[int]) -> list[Said]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT min(s.submitted_at) FROM submission s WHERE s.message_id = m.id"
            " AND s.submitted_at >= c.launched_at), c.launched_at), m.text, c.id, c.name"
            " FROM message m JOIN campaign c ON c.id = m.campaign_id WHERE m.id = ANY(%s) AND c.launched_at IS NOT NULL",
            [list(set(message_ids))],
        )
        return [Said(at, "campaign", text, "", i, name) for at, text, i, name in cursor.fetchall()]


def mark(actor: User, msisdn: int, *, is_read: bool = True) -> int:
    """Read: everything of theirs; unread: the last one. Raises NotFound as `conversation` does."""
    theirs = visible(actor).filter(msisdn=msisdn, direction="MO")
    if not theirs.exists():
        raise NotFound("There is no such conversation", code="conversation_not_found")
    if is_read:
        return theirs.filter(read_at=None).update(read_at=timezone.now())
    last = theirs.order_by("-received_at", "-id").first()
    return Reply.objects.filter(pk=last.pk).update(read_at=None) if last else 0


def assign(actor: User, msisdn: int, *, to: User | None) -> None:
    """Give the conversation to a colleague, or to nobody."""
    if to is not None and (to.account_id != actor.account_id or not to.is_active):
        raise NotFound("There is no such user", code="user_not_found")
    found = conversation(actor, msisdn)
    Reply.objects.filter(account_id=actor.account_id, msisdn=found.msisdn, direction="MO").update(assigned_to=to)


def answer(actor: User, msisdn: int, text: str) -> Reply:
    """Write back; costs credits. Raises what sending raises, and InvalidInput for nothing or too much."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise InvalidInput("Write an answer first", field="text", code="required")
    if measure(to_gsm(text)).segments > MAX_SEGMENTS:
        raise InvalidInput("An answer has at most 6 SMS", field="text", code="text_too_long")
    found = conversation(actor, msisdn)
    sent = replies.answer(found.latest, text)
    mark(actor, msisdn)
    if sent is None:
        raise NotFound("There is no such conversation", code="conversation_not_found")
    return sent


def csv_pieces(actor: User) -> Iterator[bytes]:
    """Every text this person sees, newest first."""
    yield "\ufeffDATE;SENS;NUMERO;VERS;TYPE;CAMPAGNE;TEXTE\r\n".encode()
    last = 2**62
    while True:
        rows = list(visible(actor).filter(pk__lt=last).order_by("-pk")[:BATCH])
        if not rows:
            return
        last = rows[-1].pk
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
        for row in rows:
            at = f"{timezone.localtime(row.received_at):%d/%m/%Y %H:%M:%S}"
            writer.writerow(
                [at, row.direction, row.msisdn, row.to, row.kind, row.campaign_id or "", harmless(row.text)]
            )
        yield out.getvalue().encode()


def set_forwarding(account: Account, addresses: Sequence[str]) -> None:
    """Where replies are sent by e-mail."""
    given = list(dict.fromkeys(address.strip() for address in addresses if address.strip()))
    if len(given) > MOST_ADDRESSES:
        raise InvalidInput(f"At most {MOST_ADDRESSES} addresses", field="reply_emails", code="too_many_addresses")
    for address in given:
        try:
            validate_email(address)
        except ValidationError:
            raise InvalidInput(
                f"{address[:60]!r} is not an e-mail address", field="reply_emails", code="email"
            ) from None
    Account.objects.filter(pk=account.pk).update(reply_emails=given)
