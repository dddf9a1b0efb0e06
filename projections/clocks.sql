-- What is to be done by a day, beside notices and cases: one row per finding, task and whatever else has a clock.
CREATE TABLE clocks (
    subject text COLLATE "C" PRIMARY KEY,  -- the stream; of a task, with its number
    kind text NOT NULL,
    department text NOT NULL,           -- who is to do it
    case_stream text COLLATE "C" NOT NULL,
    matter text NOT NULL,
    since date NOT NULL,                -- when it began, the day itself not counted
    due_on date,                        -- the last day in time; empty where the calendar does not reach so far
    yellow_on date,                     -- from here the lamp is yellow
    due_limit text,                     -- the rule that gave the day: key and version in its list, empty for the default
    due_document text,                  -- on what that is based
    due_calendar text,                  -- by which edition days were counted
    owing jsonb,                        -- the parties of a task that have not done their part
    ended_on date,                      -- when it was done
    suspended_on date,                  -- since when the time stands still
    extra bigint NOT NULL DEFAULT 0,     -- working days given beyond what the limit says, or stood still
    rungs bigint NOT NULL DEFAULT 0,     -- how often it was pressed: 催办, 督办
    pressed_at timestamptz,             -- the last time
    last_position bigint NOT NULL
);

-- For queries only:
CREATE INDEX clocks_running_idx ON clocks (department, due_on) WHERE ended_on IS NULL;
