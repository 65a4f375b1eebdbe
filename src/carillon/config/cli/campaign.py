"""`carillon campaign …` and `carillon report ID`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from carillon.config.cli.arguments import status_list
from carillon.config.cli.frame import (
    Command,
    Failure,
    add_command,
    add_json,
    add_noun,
    credits_text,
    print_json,
    print_rows,
    print_table,
    with_database,
)
from carillon.domain.credits import as_credits

if TYPE_CHECKING:
    from carillon.models import Campaign

COLUMNS = ("id", "account", "name", "type", "state", "recipients", "credits", "created")


def add_to(commands: Command) -> None:
    verbs = add_noun(commands, "campaign", help="campaigns: list, show, cancel, pause, resume, weight")
    listing = add_command(verbs, "list", with_database(run_list), help="list the latest campaigns")
    listing.add_argument("--account", metavar="NAME")
    listing.add_argument("--limit", type=int, default=50, metavar="N")
    add_json(listing)
    for verb, handler, sentence in (
        ("show", run_show, "counters of one campaign"),
        ("cancel", run_cancel, "a scheduled one goes back to draft; of a running one, the rest is never sent"),
        ("pause", run_pause, "stop sending; what is handed over stays so"),
        ("resume", run_resume, "go on after a pause"),
    ):
        parser = add_command(verbs, verb, with_database(handler), help=sentence)
        parser.add_argument("id", type=int, metavar="ID")
        if verb == "show":
            add_json(parser)
    weight = add_command(verbs, "weight", with_database(run_weight), help="its share of a connector beside others")
    weight.add_argument("id", type=int, metavar="ID")
    weight.add_argument("weight", type=int, metavar="N", help="1 to 100; 0 is its account's")
    report = add_command(commands, "report", with_database(run_report), help="the per-recipient report, on stdout")
    report.add_argument("id", type=int, metavar="ID")
    report.add_argument("--status", type=status_list, metavar="16,21", help="only these (their twins are included)")
    report.add_argument("--format", choices=("csv", "json"), default="csv")


def find(campaign_id: int) -> Campaign:
    from carillon.models import Campaign

    found = Campaign.objects.select_related("account", "payer").filter(pk=campaign_id, deleted_at=None).first()
    if found is None:
        raise Failure(f"There is no campaign {campaign_id}", exit_code=3)
    return found


def run_list(arguments: argparse.Namespace) -> int:
    from carillon.models import Campaign
    from carillon.services import accounts, campaigns

    found = (
        Campaign.objects.filter(deleted_at=None).exclude(origin__in=campaigns.HIDDEN_ORIGINS).select_related("account")
    )
    if arguments.account:
        found = found.filter(account=accounts.by_name(arguments.account))
    rows: list[dict[str, object]] = [
        {
            "id": c.pk,
            "account": c.account.name,
            "name": c.name,
            "type": c.traffic,
            "state": c.state,
            "recipients": c.recipient_count,
            "credits": credits_text(c.price),
            "created": c.created_at.isoformat(timespec="seconds"),
        }
        for c in found.order_by("-id")[: arguments.limit]
    ]
    print_rows(rows, as_json=arguments.json, columns=COLUMNS)
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    from carillon.domain import pauses
    from carillon.domain.status import Status, label
    from carillon.services import counts

    campaign = find(arguments.id)
    by_status = counts.by_status(campaign.pk)
    if arguments.json:
        print_json(
            {
                "id": campaign.pk,
                "name": campaign.name,
                "account": campaign.account.name,
                "type": campaign.traffic,
                "state": campaign.state,
                "paused": pauses.in_english(campaign.paused_reason) if campaign.paused_at else None,
                "error": campaign.error or None,
                "scheduled_at": campaign.scheduled_at,
                "finished_at": campaign.finished_at,
                "recipients": campaign.recipient_count,
                "credits": as_credits(campaign.price),
                "statuses": {str(int(s)): n for s, n in sorted(by_status.items())},
                "warnings": campaign.warnings,
                "weight": campaign.weight or campaign.account.weight,
            }
        )
        return 0
    print(f"Campaign {campaign.pk} '{campaign.name}' of {campaign.account.name}: {campaign.state}")
    if campaign.paused_at:
        print(f"  paused: {pauses.in_english(campaign.paused_reason)}")
    if campaign.error:
        print(f"  error: {campaign.error}")
    print_table(
        ("status", "label", "messages"),
        [(int(s), label(Status(s), language="en"), n) for s, n in sorted(by_status.items())],
    )
    return 0


def run_cancel(arguments: argparse.Namespace) -> int:
    from carillon.models import Campaign
    from carillon.services import launching

    campaign = find(arguments.id)
    now = datetime.now(UTC)
    if campaign.state == Campaign.State.SCHEDULED:
        launching.cancel_schedule(campaign, actor=None, now=now)
        print(f"Campaign {campaign.pk} is a draft again; its credits are released.")
    else:
        launching.cancel_rest(campaign, actor=None, now=now)
        print(f"Campaign {campaign.pk}: what was not handed over will not be sent, and is refunded.")
    return 0


def run_pause(arguments: argparse.Namespace) -> int:
    from carillon.domain import pauses
    from carillon.services import launching

    launching.pause(find(arguments.id), reason=pauses.COMMAND_LINE, now=datetime.now(UTC))
    print(f"Campaign {arguments.id} is paused.")
    return 0


def run_resume(arguments: argparse.Namespace) -> int:
    from carillon.services import launching

    launching.resume(find(arguments.id))
    print(f"Campaign {arguments.id} goes on.")
    return 0


def run_weight(arguments: argparse.Namespace) -> int:
    from carillon.services import campaigns

    campaign = find(arguments.id)
    campaigns.set_weight(campaign, arguments.weight)
    print(f"Campaign {campaign.pk} has weight {arguments.weight or campaign.account.weight}.")
    return 0


def run_report(arguments: argparse.Namespace) -> int:
    from carillon.services.reports import Report, csv_pieces, json_pieces

    report = Report(find(arguments.id), statuses=arguments.status)
    write = csv_pieces if arguments.format == "csv" else json_pieces
    for piece in write(report.columns(), report.rows()):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    return 0
