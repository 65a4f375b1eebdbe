"""Automatic answers of an account or of one campaign: to a keyword, or to everything else (keyword "")."""

from __future__ import annotations

from django.db.models import QuerySet

from carillon.domain import optout
from carillon.domain.errors import InvalidInput, NotFound
from carillon.domain.optout import Keyword
from carillon.domain.segments import MAX_SEGMENTS, measure, to_gsm
from carillon.models import Account, AutoReply, Campaign

MOST = 100


def of(account: Account) -> QuerySet[AutoReply]:
    return AutoReply.objects.filter(account=account).order_by("campaign_id", "keyword", "pk")


def get(account: Account, answer_id: int) -> AutoReply:
    found = of(account).filter(pk=answer_id).first()
    if found is None:
        raise NotFound("There is no such automatic answer", code="auto_reply_not_found")
    return found


def save(
    account: Account, *, text: str, keyword: str = "", campaign: Campaign | None = None, is_enabled: bool = True,
    existing: AutoReply | None = None,
) -> AutoReply:  # fmt: skip
    """A new one, or `existing` changed. Raises InvalidInput: a word that already means STOP or START, a text too long, a twin."""
    text, keyword = text.replace("\r\n", "\n").strip(), " ".join(keyword.split())[:30]
    if not text:
        raise InvalidInput("Write the answer", field="text", code="required")
    if measure(to_gsm(text)).segments > MAX_SEGMENTS:
        raise InvalidInput("An answer has at most 6 SMS", field="text", code="text_too_long")
    command = optout.classify(keyword) if keyword else None
    if command is not None and command.keyword in {Keyword.STOP, Keyword.START}:
        raise InvalidInput(f"{keyword!r} is heard as STOP or START already", field="keyword", code="keyword_reserved")
    if keyword and not optout.fold(keyword):
        raise InvalidInput("A keyword has letters or digits", field="keyword", code="keyword_empty")
    if campaign is not None and campaign.account_id != account.pk:
        raise NotFound("There is no such campaign", code="campaign_not_found")
    campaign_id = campaign.pk if campaign else None
    others = of(account).exclude(pk=existing.pk) if existing else of(account)
    twins = others.filter(campaign_id=campaign_id).values_list("keyword", flat=True)
    if optout.fold(keyword) in [optout.fold(other) for other in twins]:
        raise InvalidInput("There is an answer to this keyword already", field="keyword", code="keyword_taken")
    if existing is None and others.count() >= MOST:
        raise InvalidInput(f"An account has at most {MOST} automatic answers", field="keyword", code="too_many_answers")
    answer = existing or AutoReply(account=account)
    answer.campaign_id, answer.keyword, answer.text, answer.is_enabled = campaign_id, keyword, text, is_enabled
    answer.save()
    return answer


def switch(answer: AutoReply, *, is_enabled: bool) -> None:
    AutoReply.objects.filter(pk=answer.pk).update(is_enabled=is_enabled)


def remove(answer: AutoReply) -> None:
    answer.delete()
