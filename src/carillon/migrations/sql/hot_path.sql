-- The bulk tables. Keys carry connector_id (send path) or account_id (people), so that Citus can distribute them
-- unchanged; no foreign key points at a hot table and none has a trigger.

-- Blocks of n consecutive ids, without waiting for anybody's commit: sequences are not transactional, and the session lock
-- (held for microseconds) keeps two takers apart. Every taker goes through take_ids, also for one id.
CREATE SEQUENCE message_ids;
CREATE SEQUENCE slice_ids;
CREATE SEQUENCE recipient_ids;
CREATE SEQUENCE optout_ids;
CREATE FUNCTION take_ids(seq regclass, n bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
BEGIN
    PERFORM pg_advisory_lock(4711, seq::oid::int);
    first := nextval(seq);
    IF n > 1 THEN
        PERFORM setval(seq, first + n - 1);
    END IF;
    PERFORM pg_advisory_unlock(4711, seq::oid::int);
    RETURN first;
END $$;

CREATE TABLE recipient (
    account_id bigint NOT NULL,
    id         bigint NOT NULL,
    list_id    bigint NOT NULL,
    line       integer NOT NULL,
    msisdn     bigint,
    country    text NOT NULL DEFAULT '',
    verdict    smallint NOT NULL,
    fields     text[] NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX recipient_list ON recipient (list_id, id);
CREATE INDEX recipient_msisdn ON recipient (msisdn) WHERE msisdn IS NOT NULL;

-- Immutable after COPY.
CREATE TABLE message (
    id           bigint NOT NULL,
    connector_id smallint NOT NULL,
    account_id   bigint NOT NULL,
    campaign_id  bigint NOT NULL,
    recipient_id bigint NOT NULL,
    msisdn       bigint,
    country      text NOT NULL DEFAULT '',
    status       smallint NOT NULL,
    segments     smallint NOT NULL,
    price        integer NOT NULL,
    sender       text,
    text         text NOT NULL,
    reason       text,
    PRIMARY KEY (id, connector_id)
);
CREATE INDEX message_msisdn ON message (msisdn, id);  -- replies (latest message to a number), history, caps

CREATE TABLE slice (
    id           bigint NOT NULL,
    connector_id smallint NOT NULL,
    account_id   bigint NOT NULL,
    campaign_id  bigint NOT NULL,
    first_id     bigint NOT NULL,
    last_id      bigint NOT NULL,
    cursor_id    bigint NOT NULL,               -- everything up to it has been INTENDED; starts at first_id - 1
    n            integer NOT NULL,
    state        smallint NOT NULL DEFAULT 1,   -- 1 ready, 2 claimed, 3 done, 4 cancelled
    priority     smallint NOT NULL DEFAULT 1,   -- 0 notification, 1 marketing
    calendar     text NOT NULL DEFAULT '',
    not_before   timestamptz,
    run_id       bigint,
    PRIMARY KEY (id, connector_id)
) WITH (fillfactor = 50);
CREATE INDEX slice_ready ON slice (connector_id, priority, campaign_id, id) WHERE state = 1;
CREATE INDEX slice_open ON slice (run_id) WHERE state = 2;
CREATE INDEX slice_campaign ON slice (campaign_id, id);

CREATE TABLE gateway_run (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    connector_id smallint NOT NULL,
    seat         smallint NOT NULL DEFAULT 0,
    tick         bigint NOT NULL DEFAULT 0,
    alive        boolean NOT NULL DEFAULT true,
    lease_until  timestamptz NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    host         text NOT NULL DEFAULT '',
    pid          integer NOT NULL DEFAULT 0,
    PRIMARY KEY (id, connector_id)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX gateway_run_seat ON gateway_run (connector_id, seat) WHERE alive;

-- fillfactor 50: each row is updated exactly once, by its receipt, in its own page (HOT).
CREATE TABLE submission (
    message_id   bigint NOT NULL,
    segment      smallint NOT NULL,
    segments     smallint NOT NULL,
    submitted_at timestamptz NOT NULL,
    done_at      timestamptz,
    account_id   bigint NOT NULL,
    campaign_id  bigint NOT NULL,
    connector_id smallint NOT NULL,
    status       smallint NOT NULL,
    error        integer NOT NULL DEFAULT 0,
    price        integer NOT NULL,
    carrier_message_id text COLLATE "C" NOT NULL
) PARTITION BY RANGE (submitted_at);

-- The unique index stands on each partition: through the parent it would have to contain submitted_at and refuse nothing.
CREATE FUNCTION ensure_submission_partition(day date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', day)::date;
    name text := 'submission_' || to_char(first, 'YYYYMM');
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF submission FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 50)',
                       name, first::text || ' 00:00:00+00', (first + interval '1 month')::date::text || ' 00:00:00+00');
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (connector_id, carrier_message_id)', name || '_carrier', name);
        EXECUTE format('CREATE INDEX %I ON %I (message_id)', name || '_message', name);
    END IF;
    RETURN name;
END $$;
SELECT ensure_submission_partition((current_date - interval '1 month')::date);
SELECT ensure_submission_partition(current_date);
SELECT ensure_submission_partition((current_date + interval '1 month')::date);

CREATE TABLE receipt_unmatched (
    connector_id smallint NOT NULL,
    carrier_message_id text COLLATE "C" NOT NULL,
    status       smallint NOT NULL,
    error        integer NOT NULL DEFAULT 0,
    msisdn       bigint NOT NULL DEFAULT 0,
    received_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connector_id, carrier_message_id)
);
CREATE INDEX receipt_unmatched_at ON receipt_unmatched (received_at);

CREATE TABLE doubt (
    connector_id smallint NOT NULL,
    message_id   bigint NOT NULL,
    account_id   bigint NOT NULL,
    campaign_id  bigint NOT NULL,
    msisdn       bigint NOT NULL,
    price        integer NOT NULL,
    segments     smallint NOT NULL DEFAULT 1,
    reason       text NOT NULL DEFAULT '',
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connector_id, message_id)
);
CREATE INDEX doubt_msisdn ON doubt (connector_id, msisdn);
CREATE INDEX doubt_campaign ON doubt (campaign_id);

-- Rows per batch, no index: folded into campaign_count and account by a periodic job.
CREATE TABLE campaign_delta (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    connector_id smallint NOT NULL,
    campaign_id  bigint NOT NULL,
    status       smallint NOT NULL,
    n            integer NOT NULL,
    PRIMARY KEY (id, connector_id)
);
CREATE TABLE balance_delta (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    connector_id smallint NOT NULL,
    account_id   bigint NOT NULL,
    balance      bigint NOT NULL,
    held         bigint NOT NULL,
    PRIMARY KEY (id, connector_id)
);

CREATE TABLE ledger (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    account_id   bigint NOT NULL,
    campaign_id  bigint,
    connector_id smallint NOT NULL DEFAULT 0,
    kind         text NOT NULL,
    balance      bigint NOT NULL DEFAULT 0,
    held         bigint NOT NULL DEFAULT 0,
    run_id       bigint NOT NULL DEFAULT 0,
    tick         bigint NOT NULL DEFAULT 0,
    note         text NOT NULL DEFAULT '',
    user_id      bigint,
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, connector_id)
);
-- run + tick + campaign + kind is the idempotency key of what a gateway writes; other movements have run_id 0.
CREATE UNIQUE INDEX ledger_once ON ledger (connector_id, run_id, tick, campaign_id, kind) WHERE run_id <> 0;
CREATE INDEX ledger_account ON ledger (account_id, id);
CREATE INDEX ledger_campaign ON ledger (campaign_id, id);

CREATE TABLE outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    connector_id smallint NOT NULL DEFAULT 0,
    account_id   bigint NOT NULL,
    event        text NOT NULL,
    payload      jsonb NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, connector_id)
);

CREATE TABLE optout (
    account_id  bigint NOT NULL,                -- 0 = the platform's
    id          bigint NOT NULL,
    msisdn      bigint NOT NULL,
    medium      text NOT NULL DEFAULT 'MOBILE',
    level       text NOT NULL DEFAULT 'account',
    brand_id    bigint NOT NULL DEFAULT 0,
    source      text NOT NULL,
    description text NOT NULL DEFAULT '',
    campaign_id bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX optout_once ON optout (account_id, medium, msisdn, brand_id);

CREATE TABLE npai (
    account_id  bigint NOT NULL,
    msisdn      bigint NOT NULL,
    source      text NOT NULL,
    campaign_id bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, msisdn)
);
