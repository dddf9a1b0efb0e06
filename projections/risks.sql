-- Integrity-risk signals 廉政风险: one row each, never changed. Judged by the thresholds as they were on record when
-- the fact was recorded, for the day on which it occurred.
CREATE TABLE risks (
    position bigint NOT NULL,           -- of the fact that completed the signal
    signal text NOT NULL,
    department text NOT NULL,           -- whose act it was; '' of classified attempts
    about text NOT NULL,                -- the stream it was on: of the case, the notice or the attempt
    matter text,
    officer text,
    officer_name jsonb,                 -- sealed
    party text,                         -- its code, or a keyed hash of who it is
    rule text,                          -- by which attempts were refused
    measured bigint NOT NULL,
    threshold bigint NOT NULL,
    period bigint,
    positions jsonb NOT NULL,           -- of all facts behind it
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (position, signal)
);

-- What signals are measured with: a case as far as they need it,
CREATE TABLE risk_cases (
    stream text COLLATE "C" PRIMARY KEY,
    department text NOT NULL,           -- the organ
    matter text NOT NULL,
    party text,
    fact text NOT NULL,                 -- of the acceptance
    accepted_at timestamptz NOT NULL,
    accepted_position bigint NOT NULL,
    decided_on date,
    decided_position bigint,
    sealed_on date,                     -- the first seal
    sealed_position bigint,
    sealed_by text,
    results jsonb NOT NULL              -- of associated work
);
-- what is counted within a period (and slips of letters, each seen once),
CREATE TABLE risk_counts (
    signal text NOT NULL,
    key text COLLATE "C" NOT NULL,
    department text NOT NULL,
    marks jsonb NOT NULL,               -- [time in seconds, position] of each that counts
    PRIMARY KEY (signal, key)
);
-- and what the lists say: thresholds, and the promised times of guides.
CREATE TABLE risk_lists (
    list text NOT NULL,
    key text NOT NULL,
    number bigint NOT NULL,             -- in the entry's stream
    department text NOT NULL,
    since date NOT NULL,
    position bigint NOT NULL,
    value bigint,                       -- empty where it was struck
    period bigint,
    PRIMARY KEY (list, key, number)
);

-- For queries only:
CREATE INDEX risks_department_idx ON risks (department, position);
CREATE INDEX risks_signal_idx ON risks (signal, position);
