-- Which supervisor has received what: one row per notice. Dispatched, delivered, received and deemed received are
-- separate answers, never merged.
CREATE TABLE receipts (
    notice text COLLATE "C" PRIMARY KEY,
    department text NOT NULL,           -- the addressee
    serial bigint NOT NULL,             -- gapless per addressee
    case_stream text COLLATE "C" NOT NULL,
    organ text GENERATED ALWAYS AS (CASE WHEN starts_with(case_stream, 'case/')
        THEN split_part(case_stream, '/', 2) END) STORED,   -- of the case
    matter text NOT NULL,
    about text NOT NULL,
    root text NOT NULL,                 -- what the chain of moved notices began with
    origin text,                        -- the notice that this one replaces
    returns bigint NOT NULL,
    owing_stream text NOT NULL,
    owing_version bigint NOT NULL,
    owed_at timestamptz NOT NULL,       -- recorded: from here the time limit runs
    owed_position bigint NOT NULL,
    dispatched_at timestamptz,
    channel text,
    topic_id text,
    partition bigint,
    "offset" bigint,
    reference text,                     -- what another channel than Kafka calls its message
    delivered_at timestamptz,           -- machine evidence
    delivered_group text,
    delivered_committed bigint,
    given_up_at timestamptz,            -- the channel given up last, and why
    given_up_channel text,
    given_up_why text,
    received_at timestamptz,            -- 签收, when the officer did
    receipt_recorded_at timestamptz,
    received_by text,                   -- officer
    received_by_name jsonb,             -- sealed
    taken_at timestamptz,
    returned_at timestamptz,
    returned_to text,                   -- whom the returning department proposed
    moved_at timestamptz,
    moved_to text,                      -- the notice that replaces this one
    deemed_at timestamptz,              -- 视为接收, by a local rule
    due_on date,                        -- the last day in time; empty where the calendar does not reach so far
    yellow_on date,                     -- from here the lamp is yellow
    due_limit text,                     -- the rule that gave the day: key and version in its list, empty for the default
    due_document text,                  -- on what that is based
    due_calendar text,                  -- by which edition days were counted
    dispatched_in_time boolean,
    waited bigint,                      -- working days until it was received
    returned_in_time boolean,
    suspended_on date,                  -- since when its time stands still
    extra bigint NOT NULL DEFAULT 0,     -- working days given beyond what the limit says, or stood still
    rungs bigint NOT NULL DEFAULT 0,     -- how often it was pressed: 催办, 督办
    pressed_at timestamptz,             -- the last time
    last_position bigint NOT NULL,
    -- Until when the addressee had it in hand unreceived: overdue belongs to whoever held it on the due date.
    held_until timestamptz GENERATED ALWAYS AS (LEAST(received_at, deemed_at, moved_at)) STORED,
    status text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN moved_at IS NOT NULL THEN 'moved'
        WHEN received_at IS NOT NULL THEN 'received'
        WHEN deemed_at IS NOT NULL THEN 'deemed'
        ELSE 'outstanding' END) STORED
);

-- The organ of a case sees who was told of it.
CREATE POLICY organ ON receipts FOR SELECT USING (organ = current_setting('shenguan.department', true));

-- For queries only:
CREATE UNIQUE INDEX receipts_serial_idx ON receipts (department, serial);
CREATE INDEX receipts_case_idx ON receipts (case_stream);
CREATE INDEX receipts_owed_idx ON receipts (owed_at);
CREATE INDEX receipts_position_idx ON receipts (owed_position);
CREATE INDEX receipts_department_idx ON receipts (department, owed_position);
CREATE INDEX receipts_organ_idx ON receipts (organ, owed_position);
CREATE INDEX receipts_outstanding_idx ON receipts (department, owed_at)
    INCLUDE (organ, about, due_on, yellow_on, suspended_on) WHERE status = 'outstanding';
