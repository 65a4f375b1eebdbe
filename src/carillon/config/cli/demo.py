"""`carillon demo`: the example list, a personalised appointment reminder, the simulator, the report. What `make demo` shows."""

from __future__ import annotations

import argparse
import secrets
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from carillon.config.cli.frame import Command, Failure, add_command, say, with_database
from carillon.config.cli.processes import SIMULATOR_PORT

if TYPE_CHECKING:
    from carillon.models import Account, Campaign

ACCOUNT = "Démonstration"
LOGIN = "demo"
CONNECTOR = "simulator"
CREDITS = 160_00
EXAMPLE = Path(__file__).resolve().parents[4] / "examples" / "clients.csv"
MESSAGE = (
    "Bonjour ${Civilité} ${Nom}, rappel de votre rendez-vous demain à 10h30, à ${Ville}. À demain ! La Maison Carillon"
)
SHOWN = ("ID_LINE", "INT_MOBILE", "STATUS_CODE", "STATUS_TEXT", "Prénom", "Nom", "Ville")
GIVE_UP_AFTER_S = 300.0
PAGES_WITHIN_S = 60.0


def add_to(commands: Command) -> None:
    demo = add_command(
        commands, "demo", with_database(run_demo), help="send the example campaign to the running simulator"
    )
    demo.add_argument("--simulator-port", type=int, default=SIMULATOR_PORT, metavar="PORT", help="default 2775")
    demo.add_argument(
        "--web", default="http://127.0.0.1:8000", metavar="URL", help="where the pages are, for the last line"
    )
    demo.add_argument(
        "--list", type=Path, default=EXAMPLE, metavar="FILE", help="another list than examples/clients.csv"
    )


def run_demo(arguments: argparse.Namespace) -> int:
    from django.conf import settings

    from carillon.config.cli import send

    if not arguments.list.is_file():
        raise Failure(f"{arguments.list}: no such file; the example list is in the source tree", exit_code=2)
    account = _account()
    password = _password(account)
    _connector(arguments.simulator_port)
    say(f"Test account {ACCOUNT}: it reaches the simulator only, and may ignore legal hours.")
    campaign = send.prepared(account, _send_arguments(arguments.list))
    send.print_summary(campaign)
    campaign = send.launch(campaign, at=None)
    is_complete = send.follow(campaign, timeout_s=GIVE_UP_AFTER_S)
    campaign.refresh_from_db()
    _print_report(campaign)
    send.write_report(campaign, settings.HOME / "demo" / "report.csv")
    _wait_for_pages(arguments.web)
    say(f"Pages: {arguments.web}   login {LOGIN}   password {password}")
    return 0 if is_complete else 9


def _wait_for_pages(url: str) -> None:
    """The address is shown when it answers; on a busy machine the web process may still be starting."""
    ends = time.monotonic() + PAGES_WITHIN_S
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(f"{url}/login", timeout=5):  # noqa: S310 (our own address)
                return
        except OSError:
            time.sleep(0.3)


def _account() -> Account:
    from carillon.models import Account
    from carillon.services import accounts, credits

    account = Account.objects.filter(name=ACCOUNT).first()
    if account is None:
        account = accounts.create(ACCOUNT, credit=CREDITS, max_segments=3, is_test=True)
        account.requires_second_factor = False  # nobody reads the mail of a demo
        account.save(update_fields=["requires_second_factor"])
    elif account.available < CREDITS:
        credits.grant(account, CREDITS - account.available, note="demo")
    return account


def _password(account: Account) -> str:
    """The demo user's password: made by chance at the first demo, and kept in the data folder."""
    from django.conf import settings

    from carillon.models import User
    from carillon.services import accounts

    path = settings.HOME / "demo" / "password"
    user = User.objects.filter(login=LOGIN).first()
    if user is not None and path.exists():
        return str(path.read_text(encoding="ascii").strip())
    password = f"Carillon-{secrets.randbelow(10**6):06d}"
    if user is None:
        accounts.create_user(LOGIN, account=account, password=password, role="admin", first_name="Démo")
    else:
        accounts.set_password(user, password)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(password, encoding="ascii")
    return password


def _connector(port: int) -> None:
    from carillon.models import Connector
    from carillon.services import connectors

    options = {"host": "127.0.0.1", "port": port, "system_id": "carillon"}
    connector = Connector.objects.filter(name=CONNECTOR).first()
    if connector is None:
        connectors.add(name=CONNECTOR, kind="simulator", options=options, secret="carillon")  # noqa: S106 (any pair is welcome there)
    elif connector.options.get("port") != port:
        connectors.change(connector, options=connector.options | {"port": port})


def _send_arguments(file: Path) -> argparse.Namespace:
    return argparse.Namespace(
        list=str(file),
        name="Rappel de rendez-vous",
        type="NOTIFICATION",
        message=MESSAGE,
        sender="CARILLON",
        renderer="BASIC",
        pace=0,
        default=["Civilité=Madame, Monsieur"],
        allow_ucs2=False,
        keep_characters=False,
        keep_duplicates=False,
    )


def _print_report(campaign: Campaign) -> None:
    from carillon.config.cli.frame import print_table
    from carillon.services.reports import Report

    report = Report(campaign)
    columns = report.columns()
    places = [columns.index(name) for name in SHOWN]
    print()
    print_table(SHOWN, [[row[place] for place in places] for row in report.rows()])
    print()
