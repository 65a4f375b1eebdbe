"""« Configurer une alerte solde »: told once when the balance falls below a threshold, and again after it has risen (M7)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import formats, translation
from django.utils.translation import gettext as _

from carillon.domain.errors import CarillonError, InvalidInput
from carillon.models import Account, Outbox, User
from carillon.services import mail, texts
from carillon.services.profiles import read_email, read_mobile


def set_alert(account: Account, *, threshold: int | None, email: str = "", mobile: str = "") -> Account:
    """`threshold` in hundredths of a credit; None switches the alert off. Raises InvalidInput naming the field."""
    if threshold is not None and threshold < 0:
        raise InvalidInput("The threshold is 0 or more.", field="threshold", code="amount")
    account.alert_email = read_email(email) if email.strip() else ""
    account.alert_mobile = read_mobile(mobile)
    if threshold is not None and not (account.alert_email or account.alert_mobile):
        raise InvalidInput(
            "Say who to tell: an e-mail address or a mobile number.", field="email", code="alert_contact"
        )
    account.alert_threshold = threshold
    account.alerted_at = None
    account.save(update_fields=["alert_email", "alert_mobile", "alert_threshold", "alerted_at"])
    return account


def check_all(now: datetime) -> int:
    """Tells those whose balance has just fallen below their threshold; returns how many."""
    watched = Account.objects.filter(is_active=True, alert_threshold__isnull=False).annotate(
        left=F("balance") - F("held")
    )
    watched.filter(alerted_at__isnull=False, left__gte=F("alert_threshold")).update(alerted_at=None)
    low = list(watched.filter(alerted_at__isnull=True, left__lt=F("alert_threshold")))
    return sum(_tell(account, now) for account in low)


@transaction.atomic
def _tell(account: Account, now: datetime) -> bool:
    if Account.objects.filter(pk=account.pk, alerted_at__isnull=True).update(alerted_at=now) != 1:
        return False
    admin = User.objects.filter(account=account, role=User.Role.ADMIN, is_active=True).order_by("pk").first()
    language = admin.language if admin else "fr"
    with translation.override(language):
        left = formats.number_format(max(0, account.available) // 100, force_grouping=True)
    Outbox.objects.create(
        connector_id=0,
        account_id=account.pk,
        event="balance.low",
        payload={"balance": account.available / 100, "threshold": (account.alert_threshold or 0) / 100},
        at=now,
    )
    if account.alert_email:
        mail.send(account.alert_email, template="balance", language=language, account=account, left=left)
    if account.alert_mobile:
        _by_sms(account, left, language)
    return True


def _by_sms(account: Account, left: str, language: str) -> None:
    with translation.override(language):
        text = _("Carillon : il reste %(left)s crédits sur %(name)s.") % {"left": left, "name": account.name}
    try:
        with transaction.atomic():
            texts.send_text(
                account, msisdn=int(account.alert_mobile.lstrip("+")), text=text, purpose="balance alert", is_free=True
            )
    except CarillonError:
        return  # the e-mail, if any, has left; a page shows the low balance anyway
