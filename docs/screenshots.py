"""The pictures of the documentation: `make screenshots`, or `make screenshots ARGS="--only composer"` to renew some.

Nothing on them is painted. The platform is started in a temporary folder as `make demo` starts it; a marketer's campaign is made
through its pages in a real Chromium, sent over SMPP to the simulator, answered from the simulator's phones; then pages are taken.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from carillon.carriers.simulator import remote

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
CLIENTS = ROOT / "examples" / "clients.csv"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--lang=fr-FR"]  # fmt: skip
DESK = {"viewport": {"width": 1280, "height": 860}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
PATIENCE_MS = 120_000
ACCOUNT = "Démonstration"
HEAVIEST = 150_000  # bytes of one picture
FRIENDS = 1_800  # people of the made-up second list: enough to see a campaign on its way
FIRST_NAMES = ("Camille", "Léa", "Hugo", "Zoé", "Karim", "Inès", "Noël", "Chloé", "Anaïs", "Théo", "Jeanne", "Malik")
TOWNS = ("Lille", "Nantes", "Lyon", "Rennes", "Orléans", "Tours", "Reims", "Dijon", "Amiens")
TEXT = (", jusqu'à 30 % de remise à ", " pour la fête de Noël : https://exemple.fr/noel")
BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/135.0.0.0 Mobile Safari/537.36",
)


@dataclass
class Platform:
    """A running `carillon up --demo` with a home and ports of its own."""

    home: Path
    port: int
    simulator_port: int
    password: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def simulate(self, op: str, **request: object) -> dict[str, object]:
        return remote.ask("127.0.0.1", self.simulator_port + 1, op, **request)


@contextlib.contextmanager
def platform() -> Iterator[Platform]:
    home = Path(tempfile.mkdtemp(prefix="carillon-pictures-"))
    running = Platform(home, *_free_ports())
    log = home.with_suffix(".log")
    environment = os.environ | {"CARILLON_HOME": str(home), "CARILLON_LOG_LEVEL": "WARNING"}
    command = [sys.executable, "-m", "carillon", "up", "--demo", "--port", str(running.port), "--simulator-port",
               str(running.simulator_port)]  # fmt: skip
    with log.open("wb") as written:
        running.process = subprocess.Popen(command, env=environment, stdout=written, stderr=written)
    try:
        _wait_for_demo(running, log)
        subprocess.run(
            [sys.executable, "-m", "carillon", "account", "grant", ACCOUNT, "5000", "--note", "Facture 2026-12"],
            env=environment, check=True,
        )  # fmt: skip
        running.password = (home / "demo" / "password").read_text(encoding="ascii").strip()
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(120)
        postgres = home / "postgres"
        if postgres.is_symlink():  # as root, the server's files stand elsewhere
            shutil.rmtree(postgres.readlink(), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
        log.unlink()


def _free_ports() -> tuple[int, int]:
    """One for the pages, one for the simulator whose next is free too (its control port)."""
    while True:
        with contextlib.ExitStack() as taken:
            web, smpp, control = (taken.enter_context(socket.socket()) for _ in range(3))
            web.bind(("127.0.0.1", 0))
            smpp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                control.bind(("127.0.0.1", smpp.getsockname()[1] + 1))
                return web.getsockname()[1], smpp.getsockname()[1]


def _wait_for_demo(running: Platform, log: Path) -> None:
    assert running.process is not None
    ends = time.monotonic() + 300
    while "Pages: " not in (said := log.read_text(encoding="utf-8", errors="replace")):
        if running.process.poll() is not None or time.monotonic() > ends:
            sys.exit(f"The demo did not come up:\n{said}")
        time.sleep(0.5)


def mobile(n: int) -> str:
    """The number of the n-th made-up friend."""
    return f"06 41 {n // 100:02d} {n % 100:02d} {n * 7 % 100:02d}"


def friends_file(folder: Path) -> Path:
    """Made-up people, in UTF-8 with commas where clients.csv has WINDOWS-1252 and semicolons."""
    path = folder / "amis_de_la_boutique.csv"
    lines = ["Prénom,Ville,Mobile"]
    lines += [f"{FIRST_NAMES[n % len(FIRST_NAMES)]},{TOWNS[n % len(TOWNS)]},{mobile(n)}" for n in range(FRIENDS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@dataclass
class Camera:
    only: str = ""
    taken: list[Path] = field(default_factory=list)

    def take(self, page: Page, name: str, *, top: str = "", height: int = 0) -> None:
        """The window as it is; with `top` scrolled so that this element stands at its upper edge."""
        if self.only and not name.startswith(self.only):
            return
        with contextlib.suppress(Exception):  # a page that polls is never idle
            page.wait_for_load_state("networkidle", timeout=5_000)
        before = page.viewport_size
        if height and before:
            page.set_viewport_size({"width": before["width"], "height": height})
        if top:
            page.locator(top).first.evaluate(
                "element => scrollTo({top: element.getBoundingClientRect().top + scrollY - 90, behavior: 'instant'})"
            )
        else:
            page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        raw = page.screenshot(animations="disabled", caret="hide")
        if height and before:
            page.set_viewport_size(before)
        self.taken.append(_write(raw, PICTURES / f"{name}.png"))


def _write(raw: bytes, path: Path) -> Path:
    """A palette is enough for pages; a smaller one when it has to be lighter."""
    path.parent.mkdir(exist_ok=True)
    picture = Image.open(io.BytesIO(raw)).convert("RGB")
    for colours in (256, 128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= HEAVIEST:
            break
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB", flush=True)
    return path


def window(browser: Browser, running: Platform, **options: object) -> BrowserContext:
    context = browser.new_context(base_url=running.url, locale="fr-FR", timezone_id="Europe/Paris", **options)
    context.set_default_timeout(PATIENCE_MS)
    return context


def sign_in(page: Page, running: Platform, camera: Camera) -> None:
    page.goto("/")
    page.get_by_label("Identifiant").fill("demo")
    camera.take(page, "login")
    page.get_by_label("Mot de passe", exact=True).fill(running.password)
    page.get_by_role("button", name="Entrer", exact=True).click()
    expect(page.get_by_role("heading", name="Bonjour")).to_be_visible()


def compose_campaign(page: Page, files: list[Path], camera: Camera) -> None:
    page.goto("/campaigns/new")
    page.get_by_label("Nom de la campagne").fill("Soldes de décembre")
    page.get_by_role("button", name="Suivant", exact=True).click()
    page.locator("input[type=file]").set_input_files(files)
    for file in files:
        expect(page.get_by_role("article", name=file.stem)).to_contain_text("lignes")
    expect(page.get_by_role("article", name="amis_de_la_boutique")).to_contain_text("UTF-8")
    camera.take(page, "recipients", height=1_250)
    page.get_by_role("link", name="Suivant", exact=True).click()
    message = page.get_by_label("Message", exact=True)
    message.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("Bonjour ")
    page.get_by_role("button", name="Prénom").click()
    page.keyboard.type(TEXT[0])
    page.get_by_role("button", name="Ville").click()
    page.keyboard.type(TEXT[1])
    page.get_by_role("button", name="Suivre les clics").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value(re.compile(r"\$\{track_1\}"))
    camera.take(page, "links", top="#links", height=760)
    expect(page.locator("#preview")).to_contain_text("remise")
    page.get_by_label("Sélecteur de ligne").fill("3")
    expect(page.locator("#preview")).to_contain_text("Bonjour Sophie")


def warn_of_ucs2(page: Page, camera: Camera, name: str) -> None:
    """An emoji in the text: what it costs, and the letters in place."""
    message = page.get_by_label("Message", exact=True)
    before = message.input_value()
    page.locator("summary", has_text="Options de message").click()
    page.get_by_label("Activer tous les caractères").check()
    message.fill(before.replace("Noël", "Noël 🎄"))
    expect(page.locator("#verdict")).to_contain_text("🎄")
    camera.take(page, name, height=1_100)
    message.fill(before)
    page.get_by_label("Activer tous les caractères").uncheck()
    expect(page.locator("#verdict")).not_to_contain_text("🎄")


def test_and_send(page: Page, running: Platform, camera: Camera) -> str:
    """Gives the address of the report."""
    page.get_by_role("button", name="Suivant", exact=True).click()
    page.get_by_label("Numéros de téléphone mobile").fill("06 24 17 00 64")
    page.get_by_role("button", name="Envoyer un test").click()
    page.get_by_role("button", name="OUI", exact=True).click()
    camera.take(page, "send", height=1_250)
    page.locator(".wizard-foot").get_by_role("button", name="Envoyer et utiliser").click()
    summary = page.get_by_role("dialog", name="Résumé de la campagne")
    expect(summary).to_be_visible()
    camera.take(page, "summary", height=1_000)
    running.simulate("set", answer_delay_s=2.0, receipt_delay_s=1.0)  # a distant operator: there is time to look
    summary.get_by_role("button", name="Envoyer et utiliser").click()
    expect(page).to_have_url(re.compile(r"/report$"))
    return page.url


def watch(page: Page, running: Platform, camera: Camera) -> None:
    expect(page.locator("#live")).to_contain_text("SMS par seconde")
    expect(page.locator(".progress-line").first).to_contain_text(re.compile(r"(2\d|3\d|4\d|5\d|6\d) %"))
    camera.take(page, "live", height=1_000)
    running.simulate("set", answer_delay_s=0.0, receipt_delay_s=0.2)
    expect(page.locator("#live")).to_contain_text("Tout est parti")  # some never have a receipt, as in life
    page.wait_for_timeout(6_000)  # the last receipts


def answer(page: Page) -> None:
    """Three people reply, one of them STOP, from the phones of the simulator."""
    for number, words in (("0624170067", "Merci, je passe samedi"), ("0624170065", "Ouvert le dimanche ?")):
        page.goto(f"/simulator/?msisdn={number}")
        page.get_by_label("Réponse du destinataire").fill(words)
        page.get_by_role("button", name="Répondre", exact=True).click()
        expect(page.locator("#talk .is-mine").first).to_be_visible()
    page.goto("/simulator/?msisdn=0624170064")
    page.get_by_role("button", name="STOP").click()
    expect(page.locator("#talk")).to_contain_text("Votre demande est prise en compte")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Where the link leads is not ours to ask."""


def click(running: Platform) -> None:
    """Some friends open the link of their text."""
    opener = urllib.request.build_opener(_Stay)
    for n in range(0, 600, 23):
        texts = running.simulate("messages", msisdn="33" + mobile(n).replace(" ", "")[1:])["messages"]
        found = re.search(r"127\.0\.0\.1:\d+/\w+", str(texts))
        if found is None:
            continue  # a phone that was off
        asked = urllib.request.Request(f"http://{found.group()}", headers={"User-Agent": BROWSERS[n % len(BROWSERS)]})
        with contextlib.suppress(urllib.error.HTTPError):  # 302
            opener.open(asked, timeout=30).close()


def take_page(page: Page, camera: Camera, name: str, path: str, *, top: str = "", height: int = 0) -> None:
    answered = page.goto(path)
    if answered is None or answered.status != 200:
        print(f"{name}: {path} is not a page of this version", flush=True)
        return
    camera.take(page, name, top=top, height=height)


def take_all(browser: Browser, running: Platform, camera: Camera) -> None:
    desk = window(browser, running, **DESK)
    page = desk.new_page()
    sign_in(page, running, camera)
    with tempfile.TemporaryDirectory() as folder:
        compose_campaign(page, [CLIENTS, friends_file(Path(folder))], camera)
    composer = page.url
    warn_of_ucs2(page, camera, "composer")
    report = test_and_send(page, running, camera)
    watch(page, running, camera)
    answer(page)
    click(running)
    take_page(page, camera, "handset", "/simulator/?msisdn=0624170064")
    take_page(page, camera, "report", report, height=1_250)
    take_page(page, camera, "clicks", report, top="section[aria-labelledby=clicks-title]", height=1_000)
    take_page(page, camera, "dashboard", "/")
    take_page(page, camera, "campaigns", "/campaigns/")
    take_page(page, camera, "inbox", "/replies/")
    take_page(page, camera, "blacklist", "/blacklist/")
    take_page(page, camera, "api", "/MediasflowApi")
    page.goto(report)
    page.get_by_role("button", name="Dupliquer", exact=True).click()  # a draft with the same lists and text
    page.wait_for_url(re.compile(r"/description$"))
    composer = page.url.replace("/description", "/message")
    state = desk.storage_state()
    for name, scheme, options in (
        ("composer-dark", "dark", DESK), ("phone", "light", PHONE), ("phone-dark", "dark", PHONE),
    ):  # fmt: skip
        context = window(browser, running, color_scheme=scheme, storage_state=state, **options)
        other = context.new_page()
        if options is DESK:
            other.goto(composer)
            expect(other.locator("#preview")).to_contain_text("remise")
            camera.take(other, name, height=1_000)
        else:
            take_page(other, camera, f"{name}-composer", composer)
            take_page(other, camera, f"{name}-report", report)
        context.close()
    desk.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME", help="write only pictures whose name begins so")
    camera = Camera(parser.parse_args().only)
    if not Path(CHROMIUM).exists():
        sys.exit(f"{CHROMIUM} is missing (apt-get install chromium)")
    expect.set_options(timeout=PATIENCE_MS)
    with platform() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        take_all(browser, running, camera)
        browser.close()
    total = sum(path.stat().st_size for path in PICTURES.glob("*.png"))
    print(f"{len(camera.taken)} pictures; {total // 1000} kB in {PICTURES.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
