"""E-mails of the platform: rendered in the person's language, handed to a job in the caller's transaction.

The job's argument is sealed: what waits in the queue may be a code or a temporary password. The first line of a template is
the subject.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from carillon.models import User
from carillon.services.deferral import defer
from carillon.services.sealing import seal, unseal


def send(to: str, *, template: str, language: str = "fr", **values: Any) -> None:
    """One e-mail from `templates/mail/<template>.txt`. Leaves after the caller's commit."""
    with translation.override(language):
        text = render_to_string(f"mail/{template}.txt", {"public_url": settings.PUBLIC_URL, **values})
    subject, _, body = text.strip().partition("\n")
    defer("mail.deliver", sealed=seal(json.dumps({"to": to, "subject": subject.strip(), "body": body.strip() + "\n"})))


def deliver(sealed: str) -> None:
    """Hands one e-mail to the mail server; what it raises makes the job try again."""
    letter = json.loads(unseal(sealed))
    EmailMessage(letter["subject"], letter["body"], to=[letter["to"]]).send()


def tell_of_change(user: User, what: str, *, to: str = "") -> None:
    """Tells a person that the way into their account has changed: "password", "method", "passkey" or "contact" (the e-mail
    address or the mobile number). `to`: the former address, when it is the address that has changed.
    """
    if to or user.email:
        send(to or user.email, template="security", language=user.language, user=user, what=what)
