-- Ratings 好差评 and how far the bad ones have come: one row each. Beside each step is when it was recorded, so that
-- figures are had as they were known at a moment.
CREATE TABLE ratings (
    stream text COLLATE "C" PRIMARY KEY,
    department text NOT NULL,           -- the one that was rated
    number text NOT NULL,               -- of the case, or of the service at the counter
    service text NOT NULL,
    case_stream text COLLATE "C",
    matter text,
    level bigint NOT NULL,              -- 1 非常不满意 to 5 非常满意
    tags jsonb,                         -- sealed
    comment jsonb,                      -- sealed
    "window" text,
    rated_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    position bigint NOT NULL,
    last_position bigint NOT NULL,
    contacted_at timestamptz,
    finding text,
    complexity text,
    contact_due date,                   -- as it stands now, extensions included; empty where the calendar ends before
    contact_suspended_on date,          -- since when the clock stands still
    contact_recorded_at timestamptz,
    rectified_on date,
    rectify_due date,
    rectify_suspended_on date,
    rectified_recorded_at timestamptz,
    revisited_on date,
    satisfied boolean,
    revisit_due date,
    revisit_suspended_on date,
    revisited_recorded_at timestamptz,
    appealed_recorded_at timestamptz,
    appeal text,                        -- upheld, excluded
    appeal_recorded_at timestamptz
);

-- For queries only:
CREATE INDEX ratings_department_idx ON ratings (department, rated_at);
CREATE INDEX ratings_case_idx ON ratings (case_stream);
CREATE INDEX ratings_rated_idx ON ratings (rated_at);
