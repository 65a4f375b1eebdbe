"""The statements of the send path, in the order in which a tick runs them. services.delivery says what a tick is.

Every statement names connector_id (so that the tables can be distributed by it); arrays travel as one text literal each,
because building a literal is several times cheaper than a driver's list of values.
"""

SESSION = (
    "SET synchronous_commit = on",  # whatever the server's default: what we acknowledge is on disk
    "SET jit = off",
    # A plan prepared while a table was empty would go on reading it whole: 134 µs a message instead of 23.
    "SET enable_seqscan = off",
    "SET timezone = 'UTC'",
)

FENCE = """
UPDATE gateway_run SET tick = %s, lease_until = now() + %s * interval '1 second'
WHERE id = %s AND connector_id = %s AND alive RETURNING tick
"""

COMMITTED_TICK = "SELECT tick FROM gateway_run WHERE id = %s AND connector_id = %s AND alive"

# The usual case: accepted segments that differ in two columns only. A carrier id that is there already breaks the tick; it is
# run again, and all that follow, with ADD_ANSWERS alone. A third of the price of ADD_ANSWERS, most of it for ON CONFLICT.
ADD_ACCEPTED = """
INSERT INTO submission (message_id, segment, segments, submitted_at, account_id, campaign_id, connector_id, status, price,
                        carrier_message_id)
SELECT m, %s, %s, now(), %s, %s, %s, 24, %s, k FROM unnest(%s::bigint[], %s::text[]) u(m, k)
"""

ADD_ANSWERS = """
WITH added AS (
    INSERT INTO submission (message_id, segment, segments, submitted_at, done_at, account_id, campaign_id, connector_id,
                            status, error, price, carrier_message_id)
    SELECT m, s, g, now(), CASE WHEN t = 24 THEN NULL ELSE now() END, a, c, %s, t, e, p, k
    FROM unnest(%s::bigint[], %s::smallint[], %s::smallint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::integer[],
                %s::integer[], %s::text[]) u(m, s, g, a, c, t, e, p, k)
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*) FROM added
"""

ANSWERS_PRESENT = (
    "SELECT message_id, segment FROM submission WHERE connector_id = %s AND message_id = ANY(%s::bigint[])"
)

# Twin statuses: the first for marketing, the second for notifications (domain.status.for_traffic).
APPLY_RECEIPTS = """
WITH told AS (
    UPDATE submission s
    SET status = CASE WHEN k.traffic = 'NOTIFICATION' THEN %s ELSE %s END, error = %s, done_at = now()
    FROM campaign k
    WHERE s.connector_id = %s AND s.carrier_message_id = ANY(%s::text[]) AND s.status = %s AND s.submitted_at >= %s
      AND k.id = s.campaign_id
    RETURNING s.campaign_id, s.account_id, s.status, s.segments, s.message_id, s.segment
)
SELECT campaign_id, account_id, status, segments > 1, count(*), array_agg(message_id)::text,
       CASE WHEN segments > 1 THEN array_agg(segment) END
FROM told GROUP BY campaign_id, account_id, status, segments
"""

KNOWN_IDS = """
SELECT carrier_message_id, status FROM submission
WHERE connector_id = %s AND carrier_message_id = ANY(%s::text[]) AND submitted_at >= %s
"""

KEEP_UNMATCHED = """
INSERT INTO receipt_unmatched (connector_id, carrier_message_id, status, error, msisdn)
SELECT %s, k, t, e, n FROM unnest(%s::text[], %s::smallint[], %s::integer[], %s::bigint[]) u(k, t, e, n)
ON CONFLICT (connector_id, carrier_message_id) DO UPDATE SET status = excluded.status, error = excluded.error
WHERE receipt_unmatched.status = ANY(%s::smallint[])
"""

LOAD_UNMATCHED = "SELECT carrier_message_id, status, error, msisdn FROM receipt_unmatched WHERE connector_id = %s"

DROP_UNMATCHED = """
DELETE FROM receipt_unmatched WHERE connector_id = %s AND carrier_message_id = ANY(%s::text[])
"""

# Segments of one message may be told to two processes at once: whoever comes second must see what the first wrote.
LOCK_MESSAGES = """
SELECT pg_advisory_xact_lock(4712, (m %% 2147483647)::integer) FROM (
    SELECT m FROM unnest(%s::bigint[]) u(m) ORDER BY 1) ordered
"""

SEGMENTS_OF = """
SELECT s.message_id, s.segment, s.segments, s.status, s.price, s.account_id, s.campaign_id, k.payer_id
FROM submission s JOIN campaign k ON k.id = s.campaign_id
WHERE s.connector_id = %s AND s.message_id = ANY(%s::bigint[])
"""

ADD_DOUBTS = """
INSERT INTO doubt (connector_id, message_id, account_id, campaign_id, msisdn, price, segments, reason)
SELECT %s, m, a, c, n, p, g, %s
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::smallint[]) u(m, a, c, n, p, g)
ON CONFLICT DO NOTHING
"""

TAKE_DOUBT = "DELETE FROM doubt WHERE connector_id = %s AND message_id = %s RETURNING price"

INTEND = """
UPDATE slice s SET cursor_id = u.cursor_id
FROM unnest(%s::bigint[], %s::bigint[]) u(id, cursor_id), campaign k
WHERE s.id = u.id AND s.id = ANY(%s::bigint[]) AND s.connector_id = %s AND s.run_id = %s AND s.state = 2
  AND k.id = s.campaign_id AND k.is_sending
RETURNING s.id
"""

# Back to ready, or done. What lies before the cursor is accounted for: a later recovery need not look at it again.
RELEASE = """
UPDATE slice SET state = CASE WHEN cursor_id >= last_id THEN 3 ELSE 1 END, first_id = cursor_id + 1, run_id = NULL
WHERE id = ANY(%s::bigint[]) AND connector_id = %s AND run_id = %s AND state = 2
"""

FINISH = "UPDATE slice SET state = 3 WHERE id = ANY(%s::bigint[]) AND connector_id = %s AND run_id = %s AND state = 2"

# Intended but never written: these ids become slices of their own. A message belongs to the newest slice that covers it.
ADD_SLICES = """
INSERT INTO slice (id, connector_id, account_id, campaign_id, first_id, last_id, cursor_id, n, priority, calendar,
                   not_before, run_id)
SELECT take_ids('slice_ids', 1), s.connector_id, s.account_id, s.campaign_id, u.first_id, u.last_id, u.first_id - 1, u.n,
       s.priority, s.calendar, now() + u.wait_s * interval '1 second', u.refused_by
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::integer[], %s::bigint[])
     u(id, first_id, last_id, n, wait_s, refused_by)
JOIN slice s ON s.id = u.id AND s.connector_id = %s
"""

# Notifications first; then whichever campaign has the least in hand for its weight, then small slices: as the book will serve them.
# A claim looks at four slices of each, of heavier ones at more: they must not run dry between two claims.
# The first part walks the index from campaign to campaign: its cost is the number of campaigns, not of slices.
CLAIM = """
WITH RECURSIVE lanes(priority, campaign_id) AS (
    (SELECT priority, campaign_id FROM slice WHERE connector_id = %(connector)s AND state = 1
     ORDER BY priority, campaign_id LIMIT 1)
    UNION ALL
    SELECT n.priority, n.campaign_id FROM lanes l CROSS JOIN LATERAL (
        SELECT priority, campaign_id FROM slice
        WHERE connector_id = %(connector)s AND state = 1 AND (priority, campaign_id) > (l.priority, l.campaign_id)
        ORDER BY priority, campaign_id LIMIT 1) n
), sending AS (
    SELECT l.priority, l.campaign_id, a.closes_at_hour, coalesce(nullif(k.weight, 0), a.weight) AS weight,
           min(coalesce(nullif(k.weight, 0), a.weight)) OVER () AS lightest, coalesce(h.n, 0) AS in_hand
    FROM (SELECT * FROM lanes LIMIT 2000) l
    JOIN campaign k ON k.id = l.campaign_id AND k.is_sending
    JOIN account a ON a.id = k.account_id
    LEFT JOIN unnest(%(held)s::bigint[], %(in_hand)s::integer[]) h(campaign_id, n) ON h.campaign_id = l.campaign_id
    WHERE NOT (l.campaign_id = ANY(%(full)s::bigint[]))
), waiting AS (
    SELECT s.id, s.n, w.priority, (w.in_hand - s.n + sum(s.n) OVER (
               PARTITION BY w.priority, w.campaign_id ORDER BY s.id))::float / w.weight AS share
    FROM sending w CROSS JOIN LATERAL (
        SELECT id, n FROM slice
        WHERE connector_id = %(connector)s AND state = 1 AND priority = w.priority AND campaign_id = w.campaign_id
          AND (not_before IS NULL OR not_before <= now())
          AND (calendar = '' OR calendar || '@' || w.closes_at_hour = ANY(%(open)s::text[]))
        ORDER BY id LIMIT 4 * least(w.weight / w.lightest, 16)) s
), ordered AS (
    SELECT id, sum(n) OVER (ORDER BY priority, share, n, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM waiting
), chosen AS (
    SELECT s.id FROM slice s
    WHERE s.connector_id = %(connector)s AND s.state = 1
      AND s.id IN (SELECT id FROM ordered WHERE coalesce(before, 0) < %(wants)s)
    FOR UPDATE OF s SKIP LOCKED
)
UPDATE slice s SET state = 2, run_id = %(run)s
FROM chosen c, campaign k, account a
WHERE s.id = c.id AND s.connector_id = %(connector)s AND k.id = s.campaign_id AND a.id = k.account_id
RETURNING s.id, s.campaign_id, s.account_id, k.payer_id, s.cursor_id, s.last_id, s.priority, s.calendar, a.closes_at_hour,
    coalesce(nullif(k.sender, ''), CASE WHEN k.traffic = 'MKG' THEN a.short_code_mkg ELSE a.short_code_notification END),
    k.traffic = 'NOTIFICATION', k.validity_hours, coalesce(k.brand_id, 0), k.pace_per_hour, a.optout_spares_notifications,
    a.resends_notifications_in_doubt, k.origin <> 'system', coalesce(nullif(k.weight, 0), a.weight)
"""

FETCH = """
SELECT u.id, m.id, m.msisdn, m.text, m.price, m.segments, m.sender
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) u(id, low, high, campaign_id)
JOIN message m ON m.connector_id = %s AND m.id > u.low AND m.id <= u.high AND m.campaign_id = u.campaign_id AND m.status = 1
ORDER BY m.id
"""

ADD_COUNTS = """
INSERT INTO campaign_delta (connector_id, campaign_id, status, n)
SELECT %s, c, t, n FROM unnest(%s::bigint[], %s::smallint[], %s::integer[]) u(c, t, n)
"""

ADD_OUTBOX = """
INSERT INTO outbox (connector_id, account_id, event, payload)
SELECT %s, a, 'message.status', jsonb_build_object('campaign_id', c, 'status', t, 'messages', to_jsonb(m::bigint[]))
FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::text[]) u(a, c, t, m)
"""

ADD_LEDGER = """
INSERT INTO ledger (connector_id, account_id, campaign_id, kind, balance, held, run_id, tick)
SELECT %s, a, c, k, b, h, %s, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[]) u(a, c, k, b, h)
"""

ADD_BALANCES = """
INSERT INTO balance_delta (connector_id, account_id, balance, held)
SELECT %s, a, sum(b), sum(h) FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) u(a, b, h) GROUP BY a
"""

OPTOUTS = """
SELECT msisdn, account_id, brand_id FROM optout
WHERE account_id = ANY(%s) AND medium = %s AND brand_id = ANY(%s) AND msisdn = ANY(%s::bigint[])
"""

STOPPED = "SELECT id FROM campaign WHERE id = ANY(%s::bigint[]) AND NOT is_sending"

SURVEY = """
SELECT DISTINCT s.calendar, a.closes_at_hour FROM slice s JOIN account a ON a.id = s.account_id
WHERE s.connector_id = %s AND s.state = 1 AND s.calendar <> ''
"""

RUNS = "SELECT count(*) FROM gateway_run WHERE connector_id = %s AND alive"

SHARERS = """
SELECT campaign_id, count(DISTINCT (connector_id, run_id)) FROM slice
WHERE campaign_id = ANY(%s::bigint[]) AND state = 2 GROUP BY campaign_id
"""
