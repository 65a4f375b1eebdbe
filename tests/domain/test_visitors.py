"""Who follows a link, and with what."""

from __future__ import annotations

import pytest

from carillon.domain import visitors
from carillon.domain.visitors import Device

SAMSUNG = "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120 Mobile Safari/537.36"
REDUCED = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"
)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124 Safari/537.36"
APPLE_MESSAGES = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 "
    "facebookexternalhit/1.1 Facebot Twitterbot/1.0"
)


@pytest.mark.parametrize(
    ("agent", "headers", "kind", "confidence"),
    [
        (SAMSUNG, {}, "click", 95),
        (SAMSUNG, {b"sec-fetch-user": b"?1"}, "click", 98),
        (WINDOWS, {b"sec-fetch-user": b"?1"}, "click", 85),
        (SAMSUNG, {b"sec-purpose": b"prefetch;prerender"}, "scan", 90),
        (SAMSUNG, {b"x-moz": b"prefetch"}, "scan", 90),
        (
            "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 30) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36",
            {},
            "click",
            95,
        ),
        (APPLE_MESSAGES, {}, "preview", 95),
        ("WhatsApp/2.23.20.0", {}, "preview", 95),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", {}, "scan", 95),
        ("curl/8.5.0", {}, "scan", 95),
        ("Something", {}, "scan", 95),
        ("", {}, "scan", 80),
        (" ", {}, "scan", 80),
        ("é" * 2000, {}, "scan", 95),
    ],
)
def test_verdicts(agent: str, headers: dict[bytes, bytes], kind: str, confidence: int) -> None:
    found = visitors.judge("GET", agent.encode(), headers)
    assert (found.kind, found.confidence) == (kind, confidence)
    assert visitors.judge("HEAD", agent.encode(), headers).kind == "head"


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (SAMSUNG, Device("phone", "Samsung", "SM-S918B", "Android 14")),
        (REDUCED, Device("phone", "", "", "Android 10")),
        (WINDOWS, Device("computer", "", "", "Windows 10+")),
        (
            "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Version/16.6 Mobile/15E148 Safari/604.1",
            Device("tablet", "Apple", "iPad", "iOS 16.6"),
        ),
        (
            "Mozilla/5.0 (Linux; U; Android 13; fr-fr; Redmi Note 12 Build/TKQ1) AppleWebKit/537.36 Chrome/112 Mobile Safari/537.36",
            Device("phone", "Xiaomi", "Redmi Note 12", "Android 13"),
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Chrome/120 Safari/537.36",
            Device("tablet", "Samsung", "SM-X700", "Android 13"),
        ),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36", Device("computer", "", "", "ChromeOS")),
        ("Mozilla/5.0 (Android 14; Mobile; rv:125.0) Gecko/125.0 Firefox/125.0", Device("phone", "", "", "Android 14")),
        ("", Device()),
    ],
)
def test_devices(agent: str, device: Device) -> None:
    assert visitors.device_of(agent) == device
