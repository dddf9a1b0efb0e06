-- Sessions that were ended before their time, each until it would have been over by itself.
CREATE TABLE shenguan.session_end (
    whose text PRIMARY KEY,             -- one session, or all of a subject's or an officer's
    at timestamptz NOT NULL,            -- what began later is another session
    until timestamptz NOT NULL
);
CREATE INDEX session_end_at_idx ON shenguan.session_end (at);
GRANT SELECT, INSERT, UPDATE, DELETE ON shenguan.session_end TO {runtime};
