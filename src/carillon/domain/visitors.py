"""Who follows a short link: a person, a preview, a scanner; and with what device. Read from what the visitor sends.

Nobody can know for sure. Each verdict carries a confidence in per cent, and what decided it:

    HEAD request                                      head     100   people's browsers never begin with one
    names itself as the maker of link previews        preview   95   PREVIEWS below
    names itself as a robot, scanner or program       scan      95   ROBOTS below
    says that it loads the page ahead (Sec-Purpose)   scan      90   the person has not tapped yet
    says nothing about itself                         scan      80
    a phone's browser, opened by a tap (Sec-Fetch-User) click   98
    a phone's browser                                 click     95
    another browser                                   click     85   a text message is seldom read on a computer
    a browser less than a second after sending        scan      60   nobody reads that fast (looked at when it is stored; not for
                                                                     campaigns that go to a simulator)
    more than BURST visits of one link a minute from
    one address                                       scan      90

The tables are data: add a line when you meet a new visitor. The parser of devices is our own and small: it knows what a report
shows (kind of device, brand, model, system), not every browser there is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

TOO_QUICK_S = 1.0
BURST = 30  # visits of one link from one address within a minute

# Makers of previews. Apple's Messages says it is facebookexternalhit and Twitterbot.
PREVIEWS = (
    "facebookexternalhit", "facebot", "twitterbot", "whatsapp", "telegrambot", "slackbot", "slack-imgproxy", "discordbot",
    "linkedinbot", "skypeuripreview", "signal-desktop", "line-poker", "kakaotalk-scrap",
    "google-pagerenderer", "googlemessages", "com.google.android.apps.messaging", "iframely", "embedly", "microsoftpreview",
    "vkshare", "mastodon", "redditbot", "cardyb",
)  # fmt: skip
# Robots, mail and web gateways, and programs.
ROBOTS = (
    "crawler", "spider", "slurp", "scan", "preview", "monitor", "google-safety", "googleother", "google-read-aloud",
    "mediapartners", "barracuda", "proofpoint", "mimecast", "safelinks", "ms-office", "microsoft office", "trendmicro",
    "zscaler", "bluecoat", "symantec", "sophos", "forcepoint", "fortiguard", "checkpoint", "cloudmark", "virustotal", "urlscan",
    "netcraft", "phishtank", "headless", "phantomjs", "puppeteer", "playwright", "selenium", "lighthouse", "curl", "wget",
    "python", "aiohttp", "httpx", "go-http-client", "java/", "okhttp", "dalvik", "apache-httpclient", "libwww", "node-fetch",
    "axios", "undici", "ruby", "perl", "php", "guzzle", "postman", "insomnia", "httpie", "cfnetwork", "facebookcatalog",
)  # fmt: skip
BOT = re.compile(r"(?<!cu)bot\b")  # Cubot makes phones
AHEAD = re.compile(rb"prefetch|prerender|preview", re.IGNORECASE)  # of Sec-Purpose, Purpose, X-Purpose, X-Moz

BRANDS = (
    (r"(?:SM|GT|SCH|SGH|SHV)-|samsung", "Samsung"),
    (r"Pixel|Nexus", "Google"),
    (r"Redmi|POCO|Mi |MIX|M20\d\d|2[0-4]\d{3}[A-Z0-9]{5}|Xiaomi", "Xiaomi"),
    (r"CPH\d|OPPO|PG[A-Z]M|PHZ|PE[A-Z]M", "OPPO"),
    (r"RMX\d|realme", "realme"),
    (r"V\d{4}|vivo|I2\d{3}", "vivo"),
    (r"(?:HUAWEI|ELE|VOG|MAR|POT|ANE|CLT|LYA|ELS|ANA|JNY|YAL|STK|FIG|WAS|PRA|EML|AMN|MED|DRA)-|HUAWEI", "Huawei"),
    (r"HONOR|[A-Z]{3}-(?:NX|AN|LX)\d", "Honor"),
    (r"ONEPLUS|IN20\d\d|LE21\d\d|NE22\d\d|KB20\d\d|AC20\d\d|BE20\d\d|PHB110", "OnePlus"),
    (r"moto|XT\d{4}", "Motorola"),
    (r"Nokia|TA-\d{4}", "Nokia"),
    (r"XQ-|[A-Z]\d{4} Build|SO-|Xperia", "Sony"),
    (r"FP\d|Fairphone", "Fairphone"),
    (r"A0(?:63|65|15|142)|Nothing", "Nothing"),
    (r"W[-_][A-Z]|WIKO", "Wiko"),
    (r"LM-|LG-", "LG"),
    (r"ASUS|ZenFone", "ASUS"),
    (r"TECNO|Infinix|itel", "Transsion"),
    (r"Crosscall|CORE-|STELLAR", "Crosscall"),
)
_BRANDS = tuple((re.compile(pattern, re.IGNORECASE), brand) for pattern, brand in BRANDS)
_ANDROID = re.compile(r"Android (?P<version>[\d.]+)?(?:;(?P<rest>[^)]*))?")
_IOS = re.compile(r"(?P<model>iPhone|iPad|iPod).*?OS (?P<version>\d+(?:[_.]\d+)?)")
_DESKTOPS = (
    (re.compile(r"Windows NT 10"), "Windows 10+", ""),
    (re.compile(r"Windows"), "Windows", ""),
    (re.compile(r"Macintosh|Mac OS X"), "macOS", "Apple"),
    (re.compile(r"CrOS"), "ChromeOS", ""),
    (re.compile(r"Linux|X11"), "Linux", ""),
)


@dataclass(frozen=True, slots=True)
class Device:
    """`kind`: phone, tablet, computer or "" when nothing says so."""

    kind: str = ""
    brand: str = ""
    model: str = ""
    os: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`kind`: click, preview, scan or head; `confidence` that it is one, in per cent."""

    kind: str
    confidence: int
    device: Device


@lru_cache(maxsize=4096)
def _read(user_agent: str) -> Verdict:
    """By the name a visitor gives itself alone."""
    device = device_of(user_agent)
    lowered = user_agent.lower()
    if not lowered.strip():
        return Verdict("scan", 80, device)
    if any(word in lowered for word in PREVIEWS):
        return Verdict("preview", 95, device)
    if BOT.search(lowered) or any(word in lowered for word in ROBOTS) or "mozilla/" not in lowered:
        return Verdict("scan", 95, device)
    return Verdict("click", 95 if device.kind in {"phone", "tablet"} else 85, device)


def judge(method: str, user_agent: bytes, headers: Mapping[bytes, bytes]) -> Verdict:
    """`headers`: those of sec-purpose, purpose, x-purpose, x-moz and sec-fetch-user that were sent, names in lower case."""
    found = _read(user_agent[:500].decode("latin-1"))
    if method == "HEAD":
        return Verdict("head", 100, found.device)
    if not headers or found.kind != "click":
        return found
    if any(AHEAD.search(value) for name, value in headers.items() if name != b"sec-fetch-user"):
        return Verdict("scan", 90, found.device)
    if headers.get(b"sec-fetch-user") == b"?1" and found.confidence >= 95:
        return _tapped(found)
    return found


@lru_cache(maxsize=4096)
def _tapped(found: Verdict) -> Verdict:
    return Verdict("click", 98, found.device)


@lru_cache(maxsize=4096)
def device_of(user_agent: str) -> Device:
    if found := _IOS.search(user_agent):
        model = found["model"]
        version = found["version"].replace("_", ".")
        return Device("tablet" if model == "iPad" else "phone", "Apple", model, f"iOS {version}")
    if found := _ANDROID.search(user_agent):
        return _android(user_agent, found["version"] or "", found["rest"] or "")
    for pattern, system, brand in _DESKTOPS:
        if pattern.search(user_agent):
            return Device("computer", brand, "", system)
    return Device()


def _android(user_agent: str, version: str, rest: str) -> Device:
    """`rest`: what stands between the version and the closing parenthesis: `fr-fr; SM-S918B Build/UP1A`."""
    parts = [part.strip() for part in rest.split(";")]
    named = [
        part
        for part in parts
        if part and part != "wv" and not re.fullmatch(r"[a-z]{2}[-_][a-zA-Z]{2}|rv:.*|Mobile|Tablet", part)
    ]
    written = named[0] if named else ""
    model = re.split(r"\s+Build/|/", written)[0].strip()
    brand = next((brand for pattern, brand in _BRANDS if pattern.match(written)), "")
    if model in {"K", "Android"}:  # what browsers write to say nothing
        model = ""
    kind = "phone" if "Mobile" in user_agent or not model.startswith(("SM-T", "SM-X")) else "tablet"
    return Device(kind, brand, model[:60], f"Android {version.partition('.')[0]}".strip())
