"""Campaigns as drafts: who sees them, what may be changed, which lists they send to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from carillon.domain.errors import Conflict, InvalidInput, NotFound
from carillon.models import Account, Brand, Campaign, CampaignList, Link, List, User
from carillon.services import credits, ids
from carillon.services import links as link_rules

# Changing one of these makes a preparation and a confirmed test worthless.
CONTENT = frozenset(
    "message sender renderer defaults allow_ucs2 auto_replace_emoji auto_replace_gsm7 check_duplicate traffic brand".split()
)
EDITABLE = CONTENT | frozenset(
    "name description billing_code medium pace_per_hour validity_hours is_test_confirmed user scheduled_at".split()
)
MOST_WEIGHT = 100
HIDDEN_ORIGINS = ("test", "system")
SIGN_IN_CODE = "code"  # name of the hidden campaigns that carry second-factor codes


def visible(actor: User) -> QuerySet[Campaign]:
    """Campaigns this person may see: a user's own, an administrator's account's, an operator's all. Deleted ones excluded,
    and those that carry someone's sign-in code: nobody else reads it, not even in a message's history.
    """
    found = Campaign.objects.filter(deleted_at=None).select_related("account", "user")
    found = found.exclude(origin="system", name=SIGN_IN_CODE)
    if actor.is_operator:
        return found
    found = found.filter(account_id=actor.account_id)
    return found if actor.is_admin else found.filter(user=actor)


def get(actor: User, campaign_id: int) -> Campaign:
    """Raises NotFound, also for another account's: nothing tells whether it exists."""
    campaign = visible(actor).filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound(f"There is no campaign {campaign_id}", code="campaign_not_found")
    return campaign


def create(
    *,
    actor: User | None,
    account: Account | None = None,
    name: str = "",
    traffic: str = "MKG",
    origin: str = "web",
    user: User | None = None,
    brand: Brand | None = None,
    **fields: Any,
) -> Campaign:
    """A new draft. `account` defaults to the actor's, `user` (its owner) to the actor."""
    account = account or (actor.account if actor else None)
    if account is None:
        raise InvalidInput("A campaign needs an account", field="account")
    check_brand(account, brand)
    if traffic not in Campaign.Traffic.values:
        raise InvalidInput("The type of a campaign is MKG or NOTIFICATION", field="traffic")
    owner = user or actor
    defaults = {
        "renderer": account.default_renderer,
        "check_duplicate": account.default_check_duplicate,
        "simulator_only": account.is_test,
        "sender": owner.default_sender if owner else account.default_sender,
    } | fields
    return Campaign.objects.create(
        account=account,
        user=owner,
        payer=credits.payer_of(account),
        name=name or default_name(origin),
        traffic=traffic,
        origin=origin,
        brand=brand,
        **defaults,
    )


def default_name(origin: str) -> str:
    """ "2021-06-16 18:29 campaign API": the guide's default name."""
    return f"{timezone.localtime():%Y-%m-%d %H:%M} campaign {'API' if origin == 'api' else origin}"


def check_brand(account: Account, brand: Brand | None) -> None:
    if brand is not None and brand.account_id != account.pk:
        raise NotFound("There is no such brand", code="brand_not_found")


@transaction.atomic
def update(campaign: Campaign, *, version: int | None = None, **changes: Any) -> Campaign:
    """Change a draft. Raises Conflict when it is no draft any more, or was changed elsewhere since `version` was read."""
    unknown = set(changes) - EDITABLE
    if unknown:
        raise InvalidInput(f"A campaign has no {', '.join(sorted(unknown))} to change", field=min(unknown))
    fresh = lock_draft(campaign.pk)
    if version is not None and version != fresh.version:
        raise Conflict("This campaign was changed in another window meanwhile", code="edited_elsewhere")
    check_brand(fresh.account, changes.get("brand"))
    changed = {k for k, v in changes.items() if getattr(fresh, k) != v}
    for key in changed:
        setattr(fresh, key, changes[key])
    if changed & CONTENT:
        fresh.is_test_confirmed = False
        discard_preparation(fresh)
    if changed:
        fresh.version += 1
        fresh.save()
    return fresh


def set_weight(campaign: Campaign, weight: int) -> None:
    """Its share of a connector beside other campaigns of the same traffic; 0 is its account's. For operators, at any time: gateways
    follow with the next slices they take. Raises InvalidInput."""
    if not 0 <= weight <= MOST_WEIGHT:
        raise InvalidInput(f"A weight is from 1 to {MOST_WEIGHT}, or 0 for the account's.", field="weight")
    Campaign.objects.filter(pk=campaign.pk).update(weight=weight)


def lock_draft(campaign_id: int, *, is_injecting: bool = False) -> Campaign:
    """The row, locked; raises Conflict unless it may be edited (DRAFT, or FAILED, which becomes DRAFT again).

    `is_injecting`: the caller is the order that made it INJECTING, and may go on with it.
    """
    fresh = Campaign.objects.select_for_update(of=("self",)).select_related("account", "payer").get(pk=campaign_id)
    if fresh.state == Campaign.State.FAILED:
        fresh.state, fresh.error = Campaign.State.DRAFT, ""
    allowed = (Campaign.State.DRAFT, Campaign.State.INJECTING) if is_injecting else (Campaign.State.DRAFT,)
    if fresh.state not in allowed or fresh.deleted_at is not None:
        raise Conflict(f"Campaign {fresh.pk} is {fresh.state}: only a draft can be changed", code="not_a_draft")
    fresh.payer = credits.payer_of(fresh.account)  # a sub-account may have stopped spending its parent's credits since
    return fresh


def discard_preparation(campaign: Campaign) -> None:
    """Forget what a preparation wrote. The caller holds the row and saves it."""
    if campaign.first_message_id is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM message WHERE id BETWEEN %s AND %s AND campaign_id = %s",
                [campaign.first_message_id, campaign.last_message_id, campaign.pk],
            )
            cursor.execute(
                "DELETE FROM slice WHERE campaign_id = %s AND first_id BETWEEN %s AND %s",
                [campaign.pk, campaign.first_message_id, campaign.last_message_id],
            )
            cursor.execute("DELETE FROM campaign_count WHERE campaign_id = %s", [campaign.pk])
            cursor.execute("DELETE FROM campaign_delta WHERE campaign_id = %s", [campaign.pk])
    campaign.first_message_id = campaign.last_message_id = campaign.prepared_at = None
    campaign.recipient_count = campaign.valid_count = campaign.segment_count = campaign.price = campaign.done_count = 0
    campaign.max_segments = 0
    campaign.warnings = []


def lists_of(campaign: Campaign, *, excluded: bool = False) -> list[List]:
    rows = CampaignList.objects.filter(campaign=campaign, is_excluded=excluded).select_related("list")
    return [row.list for row in rows]


@transaction.atomic
def set_lists(campaign: Campaign, *, lists: Sequence[List], excluded: Iterable[List] = ()) -> Campaign:
    """Choose the lists (in this order) and those whose numbers are left out. The campaign's own inline list stays."""
    fresh = lock_draft(campaign.pk)
    every = [*lists, *excluded]
    if any(item.account_id != fresh.account_id or item.deleted_at for item in every):
        raise NotFound("There is no such list", code="list_not_found")
    kept = CampaignList.objects.filter(campaign=fresh).exclude(list__kind=List.Kind.INLINE)
    kept.delete()
    rows = [CampaignList(campaign=fresh, list=item, position=i) for i, item in enumerate(lists)]
    rows += [CampaignList(campaign=fresh, list=item, is_excluded=True, position=i) for i, item in enumerate(excluded)]
    CampaignList.objects.bulk_create(rows, ignore_conflicts=True)
    return touch(fresh)


def touch(fresh: Campaign) -> Campaign:
    """Its recipients or links changed: preparation and confirmed test are worth nothing any more. The caller holds the row."""
    fresh.is_test_confirmed = False
    discard_preparation(fresh)
    fresh.version += 1
    fresh.save()
    return fresh


def set_links(campaign: Campaign, links: Sequence[Mapping[str, Any]]) -> Campaign:
    """Replace the tracked links: fields of models.Link, `index` from 0. Raises InvalidInput for an address not allowed."""
    link_rules.check([dict(link) for link in links])
    with transaction.atomic():
        fresh = lock_draft(campaign.pk)
        Link.objects.filter(campaign=fresh).delete()
        Link.objects.bulk_create([Link(campaign=fresh, **dict(link)) for link in links])
        return touch(fresh)


@transaction.atomic
def duplicate(campaign: Campaign, *, actor: User, name: str = "") -> Campaign:
    """A new draft with the same text, options, lists and links; never its schedule nor its results."""
    copied = CONTENT | {"description", "billing_code", "medium", "pace_per_hour", "validity_hours"}
    twin = create(
        actor=actor,
        account=campaign.account,
        name=name or f"{campaign.name} (2)",
        **{key: getattr(campaign, key) for key in copied},
    )
    rows = CampaignList.objects.filter(campaign=campaign, list__deleted_at=None).select_related("list")
    CampaignList.objects.bulk_create(
        [
            CampaignList(campaign=twin, list=_for_twin(r.list), is_excluded=r.is_excluded, position=r.position)
            for r in rows
        ]
    )
    links = list(Link.objects.filter(campaign=campaign))
    for link in links:
        link.pk, link.campaign, link.ends_at = None, twin, None
    Link.objects.bulk_create(links)
    return twin


COPY_ROWS = """
INSERT INTO recipient (account_id, id, list_id, line, msisdn, country, verdict, fields)
SELECT account_id, %s + row_number() OVER (ORDER BY id) - 1, %s, line, msisdn, country, verdict, fields
FROM recipient WHERE account_id = %s AND list_id = %s
"""


def _for_twin(item: List) -> List:
    """The same list, but for typed recipients: a copy, so that changing the draft changes neither the first nor its report."""
    if item.kind != List.Kind.INLINE:
        return item
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM recipient WHERE account_id = %s AND list_id = %s", [item.account_id, item.pk]
        )
        first = ids.take_block("recipient", max(cursor.fetchone()[0], 1))
        source, item.pk = item.pk, None
        item._state.adding = True
        item.save()
        cursor.execute(COPY_ROWS, [first, item.pk, item.account_id, source])
    return item


def delete(campaign: Campaign) -> None:
    """Soft: `restore` undoes it. A scheduled or running one must be cancelled first."""
    busy = (Campaign.State.SCHEDULED, Campaign.State.INJECTING, Campaign.State.INPROGRESS)
    done = Campaign.objects.filter(pk=campaign.pk).exclude(state__in=busy).update(deleted_at=timezone.now())
    if not done:
        raise Conflict(f"Campaign {campaign.pk} is {campaign.state}: cancel it first", code="campaign_busy")


def restore(actor: User, campaign_id: int) -> Campaign:
    found = Campaign.objects.filter(pk=campaign_id)
    if not actor.is_operator:
        found = found.filter(account_id=actor.account_id)
    if not actor.is_admin:
        found = found.filter(user=actor)
    if not found.update(deleted_at=None):
        raise NotFound(f"There is no campaign {campaign_id}", code="campaign_not_found")
    return found.get()
