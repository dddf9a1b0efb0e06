-- Supervision feedback 监管反馈 with what was said to it: one row per thread.
CREATE TABLE feedback (
    stream text COLLATE "C" PRIMARY KEY,
    department text NOT NULL,           -- the supervisor whose finding it is, or who has its duties now
    number text NOT NULL,
    case_stream text COLLATE "C" NOT NULL,
    matter text NOT NULL,
    organ text NOT NULL,                -- the approving side that answers
    found_on date NOT NULL,
    suggestion text NOT NULL,           -- none, rectify, suspend, revoke, change
    status text NOT NULL,               -- open, disposed, closed
    outcome text,                       -- of the last disposition: adopted, partly, not
    replies bigint NOT NULL,            -- how often the supervisor was not content 异议
    exchange jsonb NOT NULL,            -- [{kind, recorded_at, occurred_at, department, officer, officer_name, outcome,
                                        -- text}] in order; names and texts sealed
    recorded_at timestamptz NOT NULL,   -- of the raising
    disposed_at timestamptz,            -- recorded, the last time
    closed_at timestamptz,
    due_on date,                        -- columns about time as in receipts.sql
    yellow_on date,
    due_limit text,
    due_document text,
    due_calendar text,
    suspended_on date,
    extra bigint NOT NULL,
    rungs bigint NOT NULL,
    pressed_at timestamptz,
    last_position bigint NOT NULL
);

-- Every party to the case sees its threads, as it sees the two-way record.
CREATE POLICY told ON feedback FOR SELECT USING (read.is_party(case_stream));

-- For queries only:
CREATE INDEX feedback_case_idx ON feedback (case_stream);
CREATE INDEX feedback_recorded_idx ON feedback (recorded_at);
