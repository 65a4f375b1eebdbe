"""Somebody who follows short links: the ASGI application called directly, and what it stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from carillon.domain import shortcodes
from carillon.models import Account, Campaign, Message
from carillon.services import campaigns, launching, links, preparation
from carillon.web.redirector import Redirector
from tests.builders import make_account, make_campaign, make_list

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
    "Mobile/15E148 Safari/604.1"
)
PREVIEWER = "facebookexternalhit/1.1 Facebot Twitterbot/1.0"
HEADER = ("SMS", "ID", "Nom")
ROWS = (("0612345678", "17/a&b=c", "Zoé"), ("0612345679", "", "Max"))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return self.headers.get("location", "")


class Caller:
    """`application` is a Redirector or what stands around one."""

    def __init__(self, application: Any = None) -> None:
        self.redirector = Redirector()
        self.application = application or self.redirector
        self.loop = asyncio.new_event_loop()

    def ask(
        self, path: str, *, method: str = "GET", agent: str = IPHONE, body: bytes = b"", address: str = "203.0.113.9",
        host: str = "127.0.0.1", **headers: str,
    ) -> Answer:  # fmt: skip
        return self.loop.run_until_complete(self._ask(path, method, agent, body, address, host, headers))

    async def _ask(
        self, path: str, method: str, agent: str, body: bytes, address: str, host: str, headers: dict[str, str]
    ) -> Answer:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        given = {"host": host, "user-agent": agent, **{k.replace("_", "-"): v for k, v in headers.items()}}
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "method": method, "path": path, "query_string": query.encode(), "scheme": "https",
            "client": (address, 4321), "server": (host, 443), "root_path": "", "raw_path": path.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in given.items()], "http_version": "1.1", "asgi": {"version": "3.0"},
        }  # fmt: skip
        await self.application(scope, receive, send)
        start = sent[0]
        found = {k.decode().lower(): v.decode() for k, v in start["headers"]}
        return Answer(start["status"], found, b"".join(m.get("body", b"") for m in sent[1:]))

    def store(self) -> None:
        """Everything that was visited is in the tables."""
        self.redirector.writer.stop()

    def close(self) -> None:
        self.redirector.stop()
        self.loop.close()


def linked(
    url: str = "https://shop.example/soldes", *, account: Account | None = None, launch: bool = True, **fields: Any
) -> Campaign:
    """A campaign to two people whose text holds one tracked link."""
    account = account or make_account(max_segments=3)
    item = make_list(account, ROWS, header=HEADER)
    campaign = make_campaign(account, lists=[item], message="Venez ! ${track_1}", traffic="NOTIFICATION")
    values = {"index": 0, "url": url, "domain": links.default_domain(), "life_days": 45} | fields
    campaign = campaigns.set_links(campaign, [values])
    if launch:
        campaign = launching.launch(preparation.prepare(campaign.pk), actor=None, now=campaign.created_at)
    return campaign


def codes(campaign: Campaign, index: int = 0) -> list[str]:
    """/XXXXXX of each message, in order."""
    found = Message.objects.filter(campaign_id=campaign.pk).order_by("id").values_list("id", flat=True)
    return ["/" + shortcodes.encode(links.key(), message_id=i, index=index) for i in found]
