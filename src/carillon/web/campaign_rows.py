"""One line of a list of campaigns: where it stands, its figures, what may be done with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from carillon.models import Campaign
from carillon.services import campaign_index, counts, report_figures
from carillon.services.campaign_index import Stage
from carillon.services.report_figures import Figures

STAGES: dict[Stage, tuple[Promise, str]] = {  # word, tone of its pill
    Stage.DRAFT: (_("En création"), ""),
    Stage.SCHEDULED: (_("Programmée"), "brand"),
    Stage.RUNNING: (_("En cours"), "warn"),
    Stage.FINISHED: (_("Terminée"), "ok"),
}
FLOWS: dict[str, Promise | str] = {
    "sms": "SMS",
    "vms": _("Message vocal"),
    "campaign": _("Campagnes"),
    "unit": _("Envois unitaires"),
}


@dataclass(frozen=True, slots=True)
class CampaignRow:
    campaign: Campaign
    stage: Stage
    label: Promise
    tone: str
    figures: Figures

    @property
    def at(self) -> datetime:
        c = self.campaign
        return c.scheduled_at or c.launched_at or c.updated_at

    @property
    def recipients(self) -> int:
        return self.figures.total or self.campaign.recipient_count

    @property
    def percent(self) -> int:
        return int(self.figures.done_share * 100)

    @property
    def is_draft(self) -> bool:
        return self.stage is Stage.DRAFT or self.campaign.state == Campaign.State.FAILED

    @property
    def is_scheduled(self) -> bool:
        return self.stage is Stage.SCHEDULED

    @property
    def is_running(self) -> bool:
        return self.stage is Stage.RUNNING

    @property
    def has_report(self) -> bool:
        return self.campaign.launched_at is not None and not self.is_draft

    @property
    def is_busy(self) -> bool:
        """Neither deleted nor edited before it is cancelled or over."""
        states = Campaign.State
        return self.campaign.state in (states.SCHEDULED, states.INJECTING, states.INPROGRESS)

    @property
    def address(self) -> str:
        """Where its name leads."""
        return reverse("campaign_description" if self.is_draft else "report", args=[self.campaign.pk])


def rows(campaigns: Iterable[Campaign], *, now: datetime) -> list[CampaignRow]:
    """In the same order; the figures of all of them in one query."""
    found = list(campaigns)
    by_campaign = counts.by_campaign(campaign.pk for campaign in found)
    return [row(campaign, report_figures.figures(by_campaign[campaign.pk]), now=now) for campaign in found]


def row(campaign: Campaign, figures: Figures, *, now: datetime) -> CampaignRow:
    stage = campaign_index.stage(campaign, now=now)
    label, tone = STAGES[stage]
    if campaign.state == Campaign.State.FAILED:
        label, tone = _("Échec"), "bad"
    elif campaign.cancelled_at:
        label, tone = _("Arrêtée"), ""
    elif campaign.paused_at and stage is Stage.RUNNING:
        label, tone = _("En pause"), "warn"
    return CampaignRow(campaign, stage, label, tone, figures)
