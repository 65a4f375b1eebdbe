"""What `bench.scale` looks at: one busy account, written with plain SQL.

Of SIZE messages: 1,000 campaigns over 30 days (one of 100,000 finished two days ago, with a list of its own, one of 100,000 half
sent, the others equal, fifty drafts), a list of 1,000,000 rows whose numbers they went to, a submission each, one reply in fifty,
clicks of one in ten, and SIZE opt-outs, which hold a twentieth of the list's numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

HEADER = ["SMS", "Prénom", "Nom", "Ref", "Ville"]
MESSAGE = "Bonjour ${Prénom} ${Nom}, votre commande ${Ref} vous attend à ${Ville} jusqu'à samedi."
CAMPAIGNS, DRAFTS, BIG = 1_000, 50, 100_000
DAYS = 30
NUMBERS, STEP, PRIME = (
    33_600_000_000,
    48_271,
    99_999_989,
)  # a list's row k has number(k); opt-out k has NUMBERS + 20 k + 3
SPREAD = {"numbers": NUMBERS, "step": STEP, "prime": PRIME}

RECIPIENTS = """
INSERT INTO recipient (account_id, id, list_id, line, msisdn, country, verdict, fields)
SELECT %(account)s, %(first)s + i, %(list)s, i + 1, %(numbers)s + i::bigint * %(step)s %% %(prime)s, 'FR', 1,
       ARRAY['0' || 600000000 + i::bigint * %(step)s %% %(prime)s,
             (ARRAY['Jean','Jacqueline','Zoé','Karim','Élise'])[i %% 5 + 1], 'Durand' || i %% 997,
             'R' || lpad(i::text, 7, '0'), (ARRAY['Paris','Boulogne-Billancourt','Lyon','Saint-Denis','Nice'])[i %% 5 + 1]]
FROM generate_series(0, %(n)s - 1) i
"""
MESSAGES = """
INSERT INTO message (id, connector_id, account_id, campaign_id, recipient_id, msisdn, country, status, segments, price, text)
SELECT i, CASE WHEN i %% 50 = 0 THEN 0 ELSE %(connector)s END, %(account)s, c.id,
       CASE WHEN c.name = 'La grande' THEN %(own)s ELSE %(first)s END + k,
       %(numbers)s + k * %(step)s %% %(prime)s, 'FR',
       CASE WHEN i %% 50 = 0 THEN 14 ELSE 1 END, CASE WHEN i %% 50 = 0 THEN 0 ELSE 1 END, CASE WHEN i %% 50 = 0 THEN 0 ELSE 100 END,
       CASE WHEN i %% 50 = 0 THEN '' ELSE 'Bonjour Jacqueline Durand' || k %% 997 || ', votre commande R' || lpad(k::text, 7, '0')
            || ' vous attend à Boulogne-Billancourt jusqu''à samedi.' END
FROM campaign c CROSS JOIN LATERAL generate_series(c.first_message_id, c.last_message_id) i
CROSS JOIN LATERAL (SELECT (i - c.first_message_id + CASE WHEN c.name = 'La grande' THEN 0 ELSE c.id * 7919 END) %% %(rows)s AS k) row
WHERE c.account_id = %(account)s AND c.launched_at IS NOT NULL
"""
SLICES = """
INSERT INTO slice (id, connector_id, account_id, campaign_id, first_id, last_id, cursor_id, n, state)
SELECT take_ids('slice_ids', 1), %(connector)s, c.account_id, c.id, i, least(i + 499, c.last_message_id),
       CASE WHEN s.is_sent THEN least(i + 499, c.last_message_id) ELSE i - 1 END,
       least(i + 499, c.last_message_id) - i + 1, CASE WHEN s.is_sent THEN 3 ELSE 1 END
FROM campaign c CROSS JOIN LATERAL generate_series(c.first_message_id, c.last_message_id, 500) i
CROSS JOIN LATERAL (
    SELECT c.finished_at IS NOT NULL OR i < (c.first_message_id + c.last_message_id) / 2 - 500 AS is_sent) s
WHERE c.account_id = %(account)s AND c.launched_at IS NOT NULL
"""
SUBMISSIONS = """
INSERT INTO submission (message_id, segment, segments, submitted_at, done_at, account_id, campaign_id, connector_id, status, price,
                        carrier_message_id)
SELECT m.id, 1, 1, c.launched_at + (m.id - c.first_message_id) * interval '2 milliseconds',
       c.launched_at + (m.id - c.first_message_id) * interval '2 milliseconds' + interval '4 seconds', m.account_id, m.campaign_id,
       m.connector_id, CASE WHEN m.id %% 100 < 3 THEN 22 WHEN m.id %% 100 < 5 THEN 20 WHEN m.id %% 100 < 6 THEN 31 ELSE 16 END, 100,
       to_hex(m.id)
FROM campaign c JOIN slice s ON s.campaign_id = c.id AND s.state = 3
JOIN message m ON m.id BETWEEN s.first_id AND s.last_id AND m.status = 1
WHERE c.account_id = %(account)s
"""
REPLIES = """
INSERT INTO reply (account_id, campaign_id, message_id, connector_id, carrier_message_id, msisdn, "to", text, kind, direction,
                   received_at, read_at, handled_at, is_counted)
SELECT s.account_id, s.campaign_id, s.message_id, s.connector_id, 'r' || s.message_id, m.msisdn, '36184',
       CASE WHEN s.message_id %% 500 = 7 THEN 'STOP' ELSE 'Bonjour, oui merci pour la commande' END,
       CASE WHEN s.message_id %% 500 = 7 THEN 'stop' ELSE 'reply' END, 'MO', s.done_at + interval '1 hour',
       CASE WHEN s.done_at < now() - interval '1 day' THEN s.done_at + interval '2 hours' END, s.done_at + interval '1 hour', FALSE
FROM submission s JOIN message m ON m.id = s.message_id WHERE s.message_id %% 50 = 7 AND s.account_id = %(account)s
"""
CLICKS = """
INSERT INTO click (account_id, campaign_id, link_index, message_id, at, kind, confidence, device, brand, model, os, address_hash)
SELECT account_id, campaign_id, 0, message_id, done_at + interval '10 minutes', 'click', 100, 'phone', 'Samsung', 'S23', 'Android',
       to_hex(message_id)
FROM submission WHERE message_id %% 10 = 3 AND account_id = %(account)s
"""
CLICK_COUNTS = """
INSERT INTO click_count (campaign_id, message_id, link_index, first_at, n, human_n, first_human_at)
SELECT campaign_id, message_id, 0, at, 1, 1, at FROM click WHERE account_id = %(account)s
"""
COUNTS = """
INSERT INTO campaign_count (campaign_id, status, n)
SELECT campaign_id, status, count(*) FROM (
    SELECT campaign_id, status FROM submission WHERE account_id = %(account)s
    UNION ALL SELECT campaign_id, status FROM message WHERE account_id = %(account)s AND status <> 1
    UNION ALL SELECT m.campaign_id, 1 FROM slice s JOIN message m ON m.id BETWEEN s.first_id AND s.last_id
    WHERE s.state = 1 AND m.status = 1
) every GROUP BY campaign_id, status
"""
OPTOUTS = """
INSERT INTO optout (account_id, id, msisdn, source, description)
SELECT %(account)s, i + 1, %(numbers)s + 20 * i::bigint + 3, CASE WHEN i %% 4 = 0 THEN 'import' ELSE 'stop' END,
       CASE WHEN i %% 1000 = 0 THEN 'Salon de Lyon' ELSE '' END
FROM generate_series(0, %(n)s - 1) i
"""


def number(k: int) -> int:
    """Of a list's row `k`: neighbours in a list are not neighbours in an index of numbers."""
    return NUMBERS + k * STEP % PRIME


@dataclass(frozen=True, slots=True)
class Filled:
    account: Any
    admin: Any
    user: Any  # whose campaigns are half of them
    list: Any
    big: Any  # the finished campaign of 100,000
    running: Any
    draft: Any  # of the whole list
    secret: str  # of an API token


def fill(n: int) -> Filled:
    from django.db import connection
    from django.utils import timezone

    from carillon.models import Account, Campaign, Connector, User
    from carillon.services import campaigns, ids, tokens

    account = Account.objects.create(name="bench", balance=10**14, max_segments=3, requires_second_factor=False)
    connector = Connector.objects.create(name="bench", kind="smpp")
    admin = User.objects.create(login="alice", account=account, role="admin", first_name="Alice")
    user = User.objects.create(login="bob", account=account, first_name="Bob")
    _, secret = tokens.create(user=admin, name="bench", rate_per_minute=10**8)
    rows = min(n, 1_000_000)
    item, first = make_list(account, rows, name="Tous nos clients")
    own, own_first = make_list(account, min(BIG, n // 5), name="Nos meilleurs clients")
    _campaigns(account, item, own, [admin, user], n, now=timezone.now())
    values = {
        "account": account.pk, "connector": connector.pk, "first": first, "own": own_first, "rows": rows, "n": n,
    } | SPREAD  # fmt: skip
    with connection.cursor() as cursor:
        for month in range(3):
            cursor.execute("SELECT ensure_submission_partition((now() - %s * interval '1 month')::date)", [month])
        ids.take_block("optout", n)
        for statement in (MESSAGES, SLICES, SUBMISSIONS, REPLIES, CLICKS, CLICK_COUNTS, COUNTS, OPTOUTS):
            cursor.execute(statement, values)
            cursor.execute("ANALYZE")  # the next one reads what this one wrote
        cursor.execute("VACUUM ANALYZE")  # as autovacuum leaves tables that grow day by day
    draft = campaigns.create(actor=admin, name="Soldes d'hiver", message=MESSAGE)
    draft = campaigns.set_lists(draft, lists=[item])
    big, running = (Campaign.objects.get(account=account, name=name) for name in ("La grande", "En route"))
    return Filled(account, admin, user, item, big, running, draft, secret)


def make_list(account: Any, rows: int, *, name: str) -> tuple[Any, int]:
    """A list of `rows` contacts, with the analysis of its import; and its first recipient's id."""
    from django.db import connection

    from carillon.models import List
    from carillon.services import ids

    item = List.objects.create(
        account=account, name=name, state=List.State.READY, header=HEADER, mobile_column="SMS", size=rows, valid_count=rows,
        analysis={
            "maxDatasMap": {"Prénom": "Jacqueline", "Nom": "Durand996", "Ref": "R0000000", "Ville": "Boulogne-Billancourt"},
            "computedHeaderSize": {name: {"0": 0} for name in HEADER},
            "_more": {"countries": {"FR": rows}, "costliest": {}, "widest": {}},
        },
    )  # fmt: skip
    first = ids.take_block("recipient", rows)
    with connection.cursor() as cursor:
        cursor.execute(RECIPIENTS, {"account": account.pk, "first": first, "list": item.pk, "n": rows} | SPREAD)
        cursor.execute("ANALYZE recipient")
    return item, first


def _campaigns(account: Any, item: Any, own: Any, users: list[Any], n: int, *, now: Any) -> None:
    """Rows of every campaign, in the order of their messages' ids."""
    from carillon.models import Campaign, CampaignList, Link
    from carillon.services import ids

    big = min(BIG, n // 5)
    launched = CAMPAIGNS - DRAFTS
    usual = max((n - 2 * big) // (launched - 2), 1)
    sizes = [usual] * launched
    place = launched * (DAYS - 2) // DAYS
    sizes[place], sizes[-1] = big, big
    names = {place: "La grande", launched - 1: "En route"}
    first = ids.take_block("message", sum(sizes))
    rows = []
    for i, size in enumerate(sizes):
        at = now - timedelta(days=DAYS) * (launched - 1 - i) / launched - timedelta(minutes=5)
        is_over = i < launched - 1
        rows.append(
            Campaign(
                account=account, payer=account, user=users[i % 2], name=names.get(i, f"Campagne {i} du {at:%d/%m}"), message=MESSAGE,
                state="INJECTED" if is_over else "INPROGRESS", scheduled_at=at, launched_at=at, prepared_at=at, created_at=at,
                finished_at=at + timedelta(hours=2) if is_over else None, is_sending=not is_over, first_message_id=first,
                last_message_id=first + size - 1, recipient_count=size, valid_count=size, segment_count=size, max_segments=1,
                price=100 * size, origin="web" if i % 3 else "api", traffic="MKG" if i % 4 else "NOTIFICATION",
            )
        )  # fmt: skip
        first += size
    rows += [
        Campaign(account=account, payer=account, user=users[i % 2], name=f"Brouillon {i}", message=MESSAGE)
        for i in range(DRAFTS)
    ]
    made = Campaign.objects.bulk_create(rows)
    for campaign in made[:launched]:  # auto_now_add wrote the present moment
        campaign.created_at = campaign.launched_at
    Campaign.objects.bulk_update(made[:launched], ["created_at"], batch_size=200)
    CampaignList.objects.bulk_create(
        CampaignList(campaign=campaign, list=own if i == place else item) for i, campaign in enumerate(made[:launched])
    )
    Link.objects.bulk_create(
        Link(campaign=campaign, index=0, url="https://shop.example/soldes", domain="s.example")
        for campaign in made[:launched]
    )
