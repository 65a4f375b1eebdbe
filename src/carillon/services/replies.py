"""Texts from people (MO): whose they are, what they ask for, and doing it.

The gateway stores a text before it acknowledges it (services.inbound); the job "replies.handle" does the rest:

    match ──> STOP: opt-out, status 17, confirmation    START: opt-out lifted, with the text as proof
          ──> HELP and anything else: automatic answer (once a person and campaign), forward by e-mail
          ──> outbox: "reply" or "stop" for webhooks
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from carillon.domain import optout
from carillon.domain.errors import CarillonError
from carillon.domain.optout import Keyword
from carillon.domain.status import NOT_SENT_STATUSES, Status, joined
from carillon.models import Account, AutoReply, Brand, Campaign, Outbox, Reply
from carillon.services import counts, forwarding, optouts, texts
from carillon.services.deferral import defer

logger = logging.getLogger(__name__)

DELIVERED = (Status.DELIVERED, Status.DELIVERED_P2P)
REPEAT_AFTER = timedelta(hours=24)  # between two automatic answers to one person, whatever the campaign: no loops
STOP_CONFIRMATION = "Votre demande est prise en compte : vous ne recevrez plus de SMS de notre part."

LATEST = """
SELECT m.id, c.id, coalesce(nullif(m.sender, ''), nullif(c.sender, ''),
       CASE c.traffic WHEN 'MKG' THEN a.short_code_mkg ELSE a.short_code_notification END),
       EXISTS (SELECT 1 FROM submission s WHERE s.connector_id = m.connector_id AND s.message_id = m.id
               AND s.status <> ALL(%s::smallint[]))
       OR EXISTS (SELECT 1 FROM doubt d WHERE d.connector_id = m.connector_id AND d.message_id = m.id)
FROM message m JOIN campaign c ON c.id = m.campaign_id JOIN account a ON a.id = c.account_id
WHERE m.msisdn = %s AND m.status = 1 AND c.launched_at IS NOT NULL
ORDER BY m.id DESC LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Match:
    """`message_id` None: only the account is known."""

    account: Account
    campaign: Campaign | None
    message_id: int | None


def match(reply: Reply) -> Match | None:
    """The latest message this person got from the number they wrote to, before one that waits to be sent; a brand named in the
    text goes first.

    Without one, the only account that has this number as its short code.
    """
    with connection.cursor() as cursor:
        cursor.execute(LATEST, [sorted(NOT_SENT_STATUSES), reply.msisdn])
        found = [(*rest, has_left) for *rest, sender, has_left in cursor.fetchall() if sender == reply.to]
    if found:
        campaigns = Campaign.objects.select_related("account", "payer", "brand").in_bulk({c for _, c, _ in found})
        message_id, campaign_id, _ = min(
            found, key=lambda row: (not _names(reply.text, campaigns[row[1]].brand), not row[2])
        )
        return Match(campaigns[campaign_id].account, campaigns[campaign_id], message_id)
    owners = Account.objects.filter(short_code_mkg=reply.to) | Account.objects.filter(short_code_notification=reply.to)
    alone = list(owners[:2])
    return Match(alone[0], None, None) if len(alone) == 1 else None


def _names(text: str, brand: Brand | None) -> bool:
    return brand is not None and optout.fold(brand.name) != [] and _contains(optout.fold(text), optout.fold(brand.name))


def _contains(words: list[str], part: list[str]) -> bool:
    return any(words[i : i + len(part)] == part for i in range(len(words) - len(part) + 1))


def handle_waiting(limit: int = 500) -> int:
    """Handle what the gateway stored; returns how many. Each in its own transaction: one that fails stops no other."""
    done = 0
    waiting = Reply.objects.filter(handled_at=None, direction="MO").order_by("id").values_list("pk", flat=True)
    for pk in list(waiting[:limit]):
        try:
            done += handle(pk)
        except Exception:
            logger.exception("reply %s could not be handled; it stays waiting", pk)
    return done


@transaction.atomic
def handle(reply_id: int) -> bool:
    """False when another worker has it, or it is done."""
    reply = Reply.objects.select_for_update(skip_locked=True).filter(pk=reply_id, handled_at=None).first()
    if reply is None:
        return False
    one_at_a_time(reply.msisdn)
    reply.handled_at = timezone.now()
    found = match(reply)
    command = optout.classify(reply.text, found.account.stop_words if found else ())
    if command is not None:
        reply.kind = command.keyword.value
    if found is None:
        if command is not None and command.keyword is Keyword.STOP:
            logger.warning("a STOP to %s from a number nobody wrote to", reply.to)
        reply.save()
        return True
    reply.account, reply.message_id = found.account, found.message_id
    reply.campaign_id = found.campaign.pk if found.campaign else None
    reply.brand = found.campaign.brand if found.campaign else None
    if command is not None and command.keyword is Keyword.STOP:
        _stop(reply, found)
    elif command is not None and command.keyword is Keyword.START:
        _start(reply, found)
    else:
        _answer(reply, found)
    reply.save()
    _tell(reply, found)
    return True


def one_at_a_time(msisdn: int) -> None:
    """Two workers never have texts of one person in hand: what STOP writes is seen by the START that follows, and the reverse."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4714, (%s %% 2147483647)::integer)", [msisdn])


def _start(reply: Reply, found: Match) -> None:
    """Lifts the opt-out, unless a STOP came after this text and was handled before it (by another worker)."""
    later = Reply.objects.filter(msisdn=reply.msisdn, to=reply.to, direction="MO", pk__gt=reply.pk).order_by("pk")[:50]
    if any(optout.is_stop(other.text, found.account.stop_words) for other in later):
        return
    by_link = Reply.objects.filter(msisdn=reply.msisdn, account=found.account, direction="LK")
    if by_link.filter(received_at__gt=reply.received_at).exists():
        return
    optouts.remove(
        found.account, reply.msisdn, brand=reply.brand, source="start",
        consent=f"Text received on {reply.received_at:%Y-%m-%d %H:%M} UTC to {reply.to}: {reply.text[:120]}",
    )  # fmt: skip


def _stop(reply: Reply, found: Match) -> None:
    is_new = optouts.add(
        found.account, reply.msisdn, brand=reply.brand, source="stop", description=reply.text[:200],
        campaign_id=reply.campaign_id,
    )  # fmt: skip
    reply.is_counted = count_stop(reply)
    if is_new and found.account.sends_stop_confirmation:
        _confirm(reply, found)


def _confirm(reply: Reply, found: Match) -> None:
    """Mandatory in France; leaves even without credit. What prevents it never prevents the opt-out."""
    try:
        with transaction.atomic():
            texts.send_text(
                found.account, msisdn=reply.msisdn, text=STOP_CONFIRMATION, sender=reply.to, purpose="STOP confirmation",
                may_overdraw=True, parent=found.campaign,
            )  # fmt: skip
    except CarillonError as error:
        logger.warning("no STOP confirmation for reply %s: %s", reply.pk, error.message)


def count_stop(reply: Reply) -> bool:
    """Move the message from delivered to 17 in the counters; False while its receipt is not there (settle_stops comes back)."""
    if reply.message_id is None or reply.campaign_id is None:
        return True
    earlier = Reply.objects.filter(message_id=reply.message_id, kind="stop", is_counted=True).exclude(pk=reply.pk)
    if earlier.exists():
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM submission WHERE message_id = %s", [reply.message_id])
        statuses = [row[0] for row in cursor.fetchall()]
    status = joined(statuses) if statuses else Status.IN_PROGRESS
    if status not in DELIVERED:
        return False
    counts.add(reply.campaign_id, {status: -1, Status.STOPPED: 1})
    return True


def settle_stops() -> int:
    """STOPs that came before the receipt of their message: counted as 17 once it is delivered. For the periodic job."""
    done = 0
    since = timezone.now() - timedelta(days=3)
    waiting = Reply.objects.filter(kind="stop", is_counted=False, received_at__gte=since).exclude(handled_at=None)
    for reply in waiting.exclude(message_id=None)[:1000]:
        with transaction.atomic():
            locked = Reply.objects.select_for_update().get(pk=reply.pk)
            if not locked.is_counted and count_stop(locked):
                Reply.objects.filter(pk=reply.pk).update(is_counted=True)
                done += 1
    return done


def _answer(reply: Reply, found: Match) -> None:
    """The campaign's own automatic answer, else the account's: the keyword's before the general one."""
    rules = AutoReply.objects.filter(account=found.account, is_enabled=True, campaign_id__in=[reply.campaign_id or 0])
    rules = rules | AutoReply.objects.filter(account=found.account, is_enabled=True, campaign_id=None)
    words = optout.fold(reply.text)
    fitting = [r for r in rules if not r.keyword or optout.fold(r.keyword) == words[: len(optout.fold(r.keyword))]]
    if not fitting or not _may_answer(reply):
        return
    rule = min(fitting, key=lambda r: (r.campaign_id is None, not r.keyword, r.pk))
    answer(reply, rule.text, kind="auto")


def _may_answer(reply: Reply) -> bool:
    """Only people are answered: not short codes, not twice for one campaign, not more than once a day."""
    if reply.msisdn < 10**8:
        return False
    earlier = Reply.objects.filter(account=reply.account, msisdn=reply.msisdn, direction="MT", kind="auto")
    if reply.campaign_id and earlier.filter(campaign_id=reply.campaign_id).exists():
        return False
    return not earlier.filter(received_at__gte=reply.received_at - REPEAT_AFTER).exists()


def answer(reply: Reply, text: str, *, kind: str = "hand") -> Reply | None:
    """Write back to the person, in the same conversation; costs credits. None when an automatic one could not leave."""
    account = reply.account
    if account is None:
        return None
    if optouts.levels_of(account.pk, [reply.msisdn], brand_id=reply.brand_id):
        if kind == "auto":
            return None
        raise CarillonError("This person asked not to be written to any more", code="opted_out")
    try:
        with transaction.atomic():
            message_id = texts.send_text(account, msisdn=reply.msisdn, text=text, sender=reply.to, purpose="Réponse")
    except CarillonError as error:
        if kind != "auto":
            raise
        logger.warning("no automatic answer to reply %s: %s", reply.pk, error.message)
        return None
    now = timezone.now()
    return Reply.objects.create(
        account=account, campaign_id=reply.campaign_id, message_id=message_id, brand=reply.brand, msisdn=reply.msisdn,
        to=reply.to, text=text, kind=kind, direction="MT", received_at=now, read_at=now, handled_at=now,
    )  # fmt: skip


def _tell(reply: Reply, found: Match) -> None:
    event = "stop" if reply.kind == "stop" else "reply"
    Outbox.objects.create(
        connector_id=0, account_id=found.account.pk, event=event, payload={"reply_id": reply.pk}, at=timezone.now()
    )
    if event == "reply" and forwarding.addresses(found.account, found.campaign):
        defer("replies.forward", reply_id=reply.pk)
