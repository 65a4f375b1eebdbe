"""`carillon send`: a list and a text become a campaign; with --wait, its progress and its report."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from carillon.config.cli.arguments import moment
from carillon.config.cli.frame import (
    USAGE,
    Command,
    Failure,
    add_command,
    add_json,
    credits_text,
    print_json,
    print_table,
    say,
    with_database,
)
from carillon.config.cli.list import import_now
from carillon.domain.credits import as_credits

if TYPE_CHECKING:
    from carillon.models import Account, Campaign, List

POLL_S = 0.25
RENDERERS = ("BASIC", "MEDIASFLOW", "MEDIASFLOW_B", "HANDLEBARS", "EJS", "VELOCITY", "SMSFACTOR")


def add_to(commands: Command) -> None:
    send = add_command(commands, "send", with_database(run_send), help="send a text to a list")
    send.add_argument("--account", required=True, metavar="NAME")
    send.add_argument("--list", required=True, metavar="ID|FILE", help="the number of a list, or a file to import")
    send.add_argument("--message", required=True, metavar="TEXT", help="fields as ${Name}")
    send.add_argument("--sender", default="", metavar="S", help="3 to 11 letters and digits; default: the short code")
    send.add_argument("--name", default="", metavar="NAME", help="of the campaign")
    send.add_argument("--type", choices=("MKG", "NOTIFICATION"), default="MKG", help="default MKG: legal hours apply")
    send.add_argument("--at", type=moment, metavar="ISO", help="when, at least 5 minutes ahead (default: now)")
    send.add_argument("--pace", type=int, default=0, metavar="N", help="at most N messages an hour (default: no limit)")
    send.add_argument("--renderer", choices=RENDERERS, default="BASIC", help="syntax of the fields (default BASIC)")
    send.add_argument("--default", action="append", default=[], metavar="FIELD=VALUE", help="instead of an empty field")
    send.add_argument(
        "--allow-ucs2", action="store_true", help="allow every character: 70 a segment where one needs it"
    )
    send.add_argument("--keep-characters", action="store_true", help="do not replace characters outside GSM 7-bit")
    send.add_argument("--keep-duplicates", action="store_true", help="send as often as a number stands in the list")
    send.add_argument("--dry-run", action="store_true", help="judge everyone, show counts and cost, send nothing")
    send.add_argument("--wait", action="store_true", help="follow it until every recipient has a final status")
    send.add_argument(
        "--timeout", type=float, default=0, metavar="S", help="with --wait: give up looking after S seconds"
    )
    send.add_argument("--report", type=Path, metavar="FILE", help="with --wait: write the report there (.csv or .json)")
    add_json(send)


def run_send(arguments: argparse.Namespace) -> int:
    from carillon.services import accounts, campaigns

    account = accounts.by_name(arguments.account)
    campaign = prepared(account, arguments)
    if not arguments.json:
        print_summary(campaign)
    if arguments.dry_run:
        if arguments.json:
            print_json(as_json(campaign))
        campaigns.delete(campaign)
        return 0
    campaign = launch(campaign, at=arguments.at)
    if campaign.state == "SCHEDULED":
        say(f"Campaign {campaign.pk} starts at {campaign.scheduled_at:%Y-%m-%d %H:%M} UTC.")
    is_complete = True
    if arguments.wait:
        is_complete = follow(campaign, timeout_s=arguments.timeout)
        if arguments.report:
            write_report(campaign, arguments.report)
    campaign.refresh_from_db()
    if arguments.json:
        print_json(as_json(campaign))
    elif arguments.wait:
        print_counts(campaign)
    return 0 if is_complete else 9


def prepared(account: Account, arguments: argparse.Namespace) -> Campaign:
    """The campaign as a judged draft. When it cannot be sent at all nothing is left behind, not even the list of a file."""
    from carillon.services import lists

    item, is_new = chosen_list(account, arguments.list)
    try:
        return judged(account, item, arguments)
    except BaseException:
        if is_new:
            lists.delete(item)
        raise


def judged(account: Account, item: List, arguments: argparse.Namespace) -> Campaign:
    from django.db import transaction

    from carillon.config.cli.progress import Bar
    from carillon.services import campaigns, preparation

    with transaction.atomic():
        campaign = campaigns.create(
            actor=None,
            account=account,
            name=arguments.name,
            traffic=arguments.type,
            origin="cli",
            message=arguments.message,
            sender=arguments.sender,
            renderer=arguments.renderer,
            defaults=dict(pair(text) for text in arguments.default),
            allow_ucs2=arguments.allow_ucs2,
            auto_replace_gsm7=not arguments.keep_characters,
            check_duplicate=not arguments.keep_duplicates,
            pace_per_hour=max(arguments.pace, 0),
        )
        campaign = campaigns.set_lists(campaign, lists=[item])
        with Bar("Preparing", unit="recipients") as bar:
            return preparation.prepare(campaign.pk, progress=bar.at)


def pair(text: str) -> tuple[str, str]:
    field, separator, value = text.partition("=")
    if not separator:
        raise Failure(f"--default {text}: write FIELD=VALUE", exit_code=USAGE)
    return field, value


def chosen_list(account: Account, given: str) -> tuple[List, bool]:
    """The list, and whether it was imported just now."""
    from carillon.models import List

    if not given.isdigit():
        return import_now(account, Path(given)), True
    found = List.objects.filter(account=account, pk=int(given), deleted_at=None).first()
    if found is None:
        raise Failure(f"There is no list {given} in {account.name}", exit_code=3)
    return found, False


def launch(campaign: Campaign, *, at: datetime | None) -> Campaign:
    from carillon.services import launching

    return launching.launch(campaign, actor=None, at=at, now=datetime.now(UTC))


def follow(campaign: Campaign, *, timeout_s: float = 0) -> bool:
    """Draw the progress until every recipient is final; False when time is up or Ctrl-C ends the looking (not the sending)."""
    from carillon.config.cli.progress import Bar
    from carillon.domain import pauses
    from carillon.domain.status import is_final
    from carillon.services import counts

    ends = time.monotonic() + timeout_s if timeout_s else float("inf")
    with Bar("Sending", unit="messages") as bar:
        while True:
            by_status = counts.by_status(campaign.pk)
            done = sum(n for status, n in by_status.items() if is_final(status))
            campaign.refresh_from_db()
            bar.at(
                done, campaign.recipient_count, pauses.in_english(campaign.paused_reason) if campaign.paused_at else ""
            )
            if done >= campaign.recipient_count or campaign.finished_at is not None:
                return True
            if time.monotonic() > ends:
                say(f"Not everything is final yet; the campaign goes on: carillon campaign show {campaign.pk}")
                return False
            time.sleep(POLL_S)


def write_report(campaign: Campaign, path: Path) -> None:
    from carillon.services.reports import Report, csv_pieces, json_pieces

    report = Report(campaign)
    write = json_pieces if path.suffix == ".json" else csv_pieces
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for piece in write(report.columns(), report.rows()):
            file.write(piece)
    say(f"Report written to {path}")


def print_summary(campaign: Campaign) -> None:
    from carillon.domain.status import Status, label
    from carillon.services import preparation

    s = preparation.summary(campaign)
    print(
        f"Campaign {campaign.pk} '{campaign.name}': {s.recipients} recipients, {s.invalid} invalid, {s.duplicates} duplicates,"
        f" {s.valid} to send in {campaign.segment_count} SMS = {credits_text(s.price)} credits ({credits_text(s.available)} available)"
    )
    for status, n in sorted(s.refused.items()):
        print(f"  {n} not sent: {int(status)} {label(Status(status), language='en')}")
    for warning in campaign.warnings:
        say(f"  note: {warning.get('message') or warning['code']}")


def print_counts(campaign: Campaign) -> None:
    from carillon.domain.status import Status, label
    from carillon.services import counts

    rows = [(int(s), label(Status(s), language="en"), n) for s, n in sorted(counts.by_status(campaign.pk).items())]
    print_table(("status", "label", "messages"), rows)


def as_json(campaign: Campaign) -> dict[str, object]:
    from carillon.services import counts

    return {
        "id": campaign.pk,
        "name": campaign.name,
        "state": campaign.state,
        "recipients": campaign.recipient_count,
        "valid": campaign.valid_count,
        "segments": campaign.segment_count,
        "credits": as_credits(campaign.price),
        "scheduled_at": campaign.scheduled_at,
        "statuses": {str(int(s)): n for s, n in sorted(counts.by_status(campaign.pk).items())},
        "warnings": campaign.warnings,
    }
