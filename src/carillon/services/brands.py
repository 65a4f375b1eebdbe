"""Brands of an account: STOPs attach to the brand a campaign is sent for (features K2)."""

from __future__ import annotations

from django.db.models import Count, ProtectedError, QuerySet

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.models import Account, Brand, Campaign, OptOut


def of(account: Account) -> QuerySet[Brand]:
    """With `campaigns`, how many were sent for each."""
    return Brand.objects.filter(account=account).annotate(campaigns=Count("campaign")).order_by("name")


def get(account: Account, brand_id: int) -> Brand:
    found = Brand.objects.filter(account=account, pk=brand_id).first()
    if found is None:
        raise NotFound(f"There is no brand {brand_id}.")
    return found


def add(account: Account, name: str, *, is_client: bool = False) -> Brand:
    """Raises InvalidInput: empty or taken. The first brand makes the account multi-brand."""
    brand = Brand.objects.create(account=account, name=_free_name(account, name), is_client=is_client)
    if not account.is_multi_brand:
        account.is_multi_brand = True
        account.save(update_fields=["is_multi_brand"])
    return brand


def rename(brand: Brand, name: str, *, is_client: bool) -> Brand:
    brand.name = _free_name(brand.account, name, but=brand)
    brand.is_client = is_client
    brand.save(update_fields=["name", "is_client"])
    return brand


def remove(brand: Brand) -> None:
    """Raises Conflict once a campaign or an opt-out names it: people's STOPs must outlive a change of mind."""
    is_used = Campaign.objects.filter(brand=brand).exists() or OptOut.objects.filter(brand_id=brand.pk).exists()
    if is_used:
        raise Conflict("Campaigns or opt-outs name this brand.", code="brand_used")
    try:
        brand.delete()
    except ProtectedError:
        raise Conflict("Campaigns or opt-outs name this brand.", code="brand_used") from None


def _free_name(account: Account, name: str, *, but: Brand | None = None) -> str:
    name = name.strip()
    if not name:
        raise InvalidInput("A brand needs a name.", field="name", code="required")
    if len(name) > 80:
        raise InvalidInput("A brand's name has at most 80 characters.", field="name", code="too_long")
    others = Brand.objects.filter(account=account, name__iexact=name)
    if (others.exclude(pk=but.pk) if but else others).exists():
        raise InvalidInput("There is a brand of this name.", field="name", code="name_taken")
    return name
