"""Templates (« modèles »): texts kept under a name, shared by the account's users."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from carillon.domain.errors import InvalidInput, NotFound
from carillon.models import Template, User


def visible(actor: User) -> QuerySet[Template]:
    return Template.objects.filter(account_id=actor.account_id).select_related("user").order_by("name", "id")


def get(actor: User, template_id: int) -> Template:
    found = visible(actor).filter(pk=template_id).first()
    if found is None:
        raise NotFound(f"There is no template {template_id}", code="template_not_found")
    return found


def save(
    *,
    actor: User,
    name: str,
    message: str,
    traffic: str = "MKG",
    renderer: str = "BASIC",
    template: Template | None = None,
) -> Template:
    """A new template, or `template` changed. Raises InvalidInput for an empty or taken name, or an empty message."""
    name, message = name.strip(), message.replace("\r\n", "\n")
    if not name:
        raise InvalidInput("A template needs a name", field="name", code="name_missing")
    if not message.strip():
        raise InvalidInput("The message is empty.", field="message", code="message_empty")
    kept = template or Template(account_id=actor.account_id, user=actor)
    kept.name, kept.message, kept.traffic, kept.renderer = name, message, traffic, renderer
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError:
        raise InvalidInput(f"There is a template named '{name}' already", field="name", code="name_taken") from None
    return kept


def delete(actor: User, template_id: int) -> Template:
    found = get(actor, template_id)
    Template.objects.filter(pk=found.pk).delete()
    return found
