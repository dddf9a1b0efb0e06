-- A store: the log, what intake remembers, deliveries, followers, keys.
-- {migrator}, {runtime} and {reader} are the names of the three database roles.

CREATE SCHEMA shenguan;
CREATE SCHEMA read;   -- read models, made by projections/*.sql
CREATE SCHEMA vault;  -- keys of personal data: outside the log, so that destroying one erases what it sealed

-- The log: the stored-event table of the eventsourcing library, with two additive columns.
CREATE TABLE shenguan.stored_events (
    originator_id text COLLATE "C" NOT NULL,  -- stream
    originator_version bigint NOT NULL,       -- 1, 2, 3 … in the stream
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial,                -- position; drawn under the writer's lock, so commit order is id order
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- strictly increasing: "as known at" is a position
    unique_key text COLLATE "C",              -- what may be recorded only once in a store, such as a notice's id
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05
);
CREATE UNIQUE INDEX stored_events_notification_id_idx ON shenguan.stored_events (notification_id);
CREATE UNIQUE INDEX stored_events_unique_key_idx ON shenguan.stored_events (unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX stored_events_recorded_at_idx ON shenguan.stored_events USING brin (recorded_at);
-- Registers are folded from these few.
CREATE INDEX stored_events_register_idx ON shenguan.stored_events (notification_id) WHERE topic IN ({register_topics});

CREATE FUNCTION shenguan.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON shenguan.stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();

-- Followers' positions: the tracking table of the library.
CREATE TABLE shenguan.notification_tracking (
    application_name text PRIMARY KEY,
    notification_id bigint
);
CREATE TABLE shenguan.follower (
    name text PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    alive_at timestamptz NOT NULL,
    error text
);

-- One integer by which a writer knows whether its caches still hold.
CREATE TABLE shenguan.writer (id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1), generation bigint NOT NULL);
INSERT INTO shenguan.writer (generation) VALUES (0);

-- Kafka positions, moved in the events' own transaction.
CREATE TABLE shenguan.intake_topic (
    topic text PRIMARY KEY,
    topic_id text NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE shenguan.intake_position (
    topic_id text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    epoch integer NOT NULL,
    PRIMARY KEY (topic_id, partition)
);

-- Every submission's one current disposition.
CREATE TABLE shenguan.submission (
    topic_id text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    topic text NOT NULL,
    principal text NOT NULL,
    auth text NOT NULL,
    source text COLLATE "C" NOT NULL,   -- '' where the header could not be read
    id text COLLATE "C" NOT NULL,
    type text NOT NULL,
    content bytea NOT NULL,             -- keyed hash of the canonical content
    department text,
    occurred_at timestamptz,
    arrived_at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL,
    disposition text NOT NULL CHECK (disposition IN ('accepted', 'refused', 'duplicate', 'conflict', 'parked', 'dead')),
    rule text,                          -- why refused
    stream text,                        -- the fact's stream, or what a parked one waits for
    version bigint,                     -- the fact's version in its stream
    redelivered integer NOT NULL DEFAULT 0,  -- how often the very record was read again: duplicates too
    retry_of text,
    PRIMARY KEY (topic_id, partition, "offset")
);
-- A dead letter does not claim its id; neither does what was compared with the claim.
CREATE UNIQUE INDEX submission_claim_idx ON shenguan.submission (source, id)
    WHERE disposition IN ('accepted', 'refused', 'parked');
CREATE INDEX submission_open_idx ON shenguan.submission (disposition, arrived_at)
    WHERE disposition IN ('conflict', 'parked', 'dead');

CREATE TABLE shenguan.parked (
    topic_id text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    sealed jsonb NOT NULL,              -- the submission with its personal data sealed
    parked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ready boolean NOT NULL DEFAULT false,  -- its turn has come, but the batch's chain was cut
    PRIMARY KEY (topic_id, partition, "offset")
);
CREATE INDEX parked_stream_idx ON shenguan.parked (stream);
CREATE INDEX parked_ready_idx ON shenguan.parked (parked_at) WHERE ready;
CREATE INDEX parked_expires_idx ON shenguan.parked (expires_at);

-- Dead letters and quarantined conflicts: bytes under a key of their own, and what was wrong.
CREATE TABLE shenguan.dead_letter (
    topic_id text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    number bigserial UNIQUE,            -- order of publication
    subject text NOT NULL,
    ciphertext text NOT NULL,
    errors jsonb NOT NULL,              -- field, rule, message, found of each; never personal
    dead_at timestamptz NOT NULL,
    retried_at timestamptz,
    PRIMARY KEY (topic_id, partition, "offset")
);

-- What the outlet has to send, and how far it came.
CREATE TABLE shenguan.delivery (
    notice text COLLATE "C" NOT NULL,
    channel text NOT NULL,
    department text NOT NULL,
    serial bigint NOT NULL,
    position bigint NOT NULL,           -- of the owing in the log
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    sent_at timestamptz,
    topic_id text,
    partition integer,
    "offset" bigint,
    delivered_at timestamptz,
    error text,
    PRIMARY KEY (notice, channel)
);
CREATE INDEX delivery_due_idx ON shenguan.delivery (department, channel, serial) WHERE sent_at IS NULL;
CREATE INDEX delivery_undelivered_idx ON shenguan.delivery (topic_id, partition, "offset")
    WHERE sent_at IS NOT NULL AND delivered_at IS NULL;

CREATE TABLE vault.subject_key (
    subject text COLLATE "C" PRIMARY KEY,
    wrapped bytea,                      -- under the master key, which is not in the database; NULL: destroyed
    created_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz
);

GRANT USAGE ON SCHEMA shenguan, read, vault TO {runtime};
GRANT USAGE ON SCHEMA read TO {reader};
GRANT SELECT ON shenguan.stored_events TO {runtime};
GRANT INSERT (originator_id, originator_version, topic, state, recorded_at, unique_key)
    ON shenguan.stored_events TO {runtime};
GRANT USAGE ON SEQUENCE shenguan.stored_events_notification_id_seq, shenguan.dead_letter_number_seq TO {runtime};
GRANT SELECT, INSERT, UPDATE ON shenguan.notification_tracking, shenguan.follower, shenguan.intake_topic,
    shenguan.intake_position, shenguan.submission, shenguan.dead_letter, shenguan.delivery TO {runtime};
GRANT SELECT, INSERT, UPDATE, DELETE ON shenguan.parked TO {runtime};
GRANT SELECT, UPDATE ON shenguan.writer TO {runtime};
GRANT SELECT, INSERT ON vault.subject_key TO {runtime};  -- to destroy a key is not the running system's
