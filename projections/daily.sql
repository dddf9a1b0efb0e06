-- What happened to notices and feedback, counted by the day on which it was recorded (in Beijing), so that every figure
-- can be had as it was known at the end of any day: the sum of the rows up to it. Rows are added to, never taken back:
-- what a later fact corrects, it corrects on its own day.
CREATE TABLE daily (
    department text NOT NULL,           -- the addressee; for feedback the organ that must answer it
    cohort date NOT NULL,               -- the day the notice was owed, or the feedback raised: what a period asks for
    matter text NOT NULL,               -- empty where the notice is about no case
    root text NOT NULL,                 -- what the chain of notices began with; `feedback` for feedback
    day date NOT NULL,                  -- since when it counts
    falls boolean NOT NULL,             -- false: recorded on that day; true: a time limit ended with that day
    owed bigint NOT NULL,
    dispatched bigint NOT NULL,
    dispatch_due bigint NOT NULL,       -- should have been dispatched by now, or was and the event says whether in time
    dispatched_in_time bigint NOT NULL, -- of those
    received bigint NOT NULL,           -- really, and not moved since
    receipt_days bigint NOT NULL,       -- working days from owed to received, in sum,
    receipts_dated bigint NOT NULL,     -- over so many: of the others the calendar is not known
    deemed bigint NOT NULL,             -- by a local rule, and not received or moved since
    moved bigint NOT NULL,
    returned bigint NOT NULL,
    due bigint NOT NULL,                -- fell due in the addressee's hands
    received_in_time bigint NOT NULL,   -- of those, by the officer's time of receipt
    late_ended bigint NOT NULL,         -- of those, received, deemed received or moved, but late
    undated bigint NOT NULL,            -- owed, with no due date: the calendar is not known
    cases_told bigint NOT NULL,         -- notices of decisions that stand: a case once for each department that holds it
    cases_with_feedback bigint NOT NULL, -- of those, that the department has raised feedback about
    feedback_raised bigint NOT NULL,
    feedback_disposed bigint NOT NULL,  -- of those, now disposed of or closed
    answer_due bigint NOT NULL,         -- of those, should have been answered by now
    answered_in_time bigint NOT NULL,   -- of those, for the first time
    PRIMARY KEY (department, cohort, matter, root, day, falls)
);

-- The same counters summed up by day and by month, so that what is asked of everybody need not add up every row: of a
-- department (matter is empty) and of a matter (department is empty: for whoever sees all rows). Root is empty; cohort is
-- the day, or like it the month's first.
CREATE TABLE daily_days (LIKE daily INCLUDING ALL);
CREATE TABLE daily_months (LIKE daily INCLUDING ALL);

-- What later facts must know of a notice in order to count.
CREATE TABLE daily_notices (
    notice text COLLATE "C" PRIMARY KEY,
    department text NOT NULL,
    serial bigint NOT NULL,
    about text NOT NULL,
    matter text NOT NULL,
    root text NOT NULL,
    case_stream text COLLATE "C" NOT NULL,
    owed_on date NOT NULL,
    dispatch_by date,                   -- empty where nothing is, or need be, dispatched by any day
    due_on date,                        -- empty also while the clock stands still
    first_due_on date,                  -- when it was owed
    undated boolean NOT NULL,           -- the calendar does not reach so far
    dispatched boolean NOT NULL,
    received_on date,                   -- by the officer
    receipt_days bigint,
    deemed boolean NOT NULL,
    fed_back boolean NOT NULL,
    moved_on date,                      -- recorded
    closed_on date,                     -- since when, by the record, it is no longer outstanding
    held_until date GENERATED ALWAYS AS (coalesce(closed_on, '9999-12-31'::date)) STORED
);
CREATE INDEX daily_notices_case_idx ON daily_notices (case_stream, department)
    WHERE root = 'decision' AND moved_on IS NULL;

-- When the due date of an open notice changed: by extension, suspension, another limit or calendar.
CREATE TABLE daily_dues (
    notice text COLLATE "C" NOT NULL,
    day date NOT NULL,                  -- recorded
    department text NOT NULL,
    due_on date,
    PRIMARY KEY (notice, day)
);

CREATE TABLE daily_feedback (
    stream text COLLATE "C" PRIMARY KEY,
    department text NOT NULL,           -- the organ that must answer
    matter text NOT NULL,
    case_stream text COLLATE "C" NOT NULL,
    supervisor text NOT NULL,           -- who raised it
    raised_on date NOT NULL,            -- recorded
    answer_by date,
    answered_on date,                   -- for the first time
    open boolean NOT NULL
);
CREATE INDEX daily_feedback_case_idx ON daily_feedback (case_stream, supervisor);

-- For queries only:
CREATE INDEX daily_day_idx ON daily (day);
CREATE INDEX daily_days_day_idx ON daily_days (day);
CREATE INDEX daily_notices_held_idx ON daily_notices (held_until, due_on);
