-- The two-way record 双向告知 of a case. There is one record, and every party to the case sees the whole of it: the
-- organ, every department a notice about the case was owed to, and whoever else acted in it. So a supervisor who is
-- told later also sees what led to it, and no row is stored once per reader.
CREATE TABLE two_way (
    case_stream text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    department text NOT NULL,           -- who acted; for the system's own facts whom they concern
    kind text NOT NULL,                 -- the event's topic
    from_department text,               -- empty: the system itself
    to_department text,
    officer text,
    officer_name jsonb,                 -- sealed
    effective_on date,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    notice text COLLATE "C",
    serial bigint,
    channel text,
    summary jsonb NOT NULL,             -- the event's own fields; what is personal stays sealed
    PRIMARY KEY (case_stream, position)
);
CREATE INDEX two_way_owed_idx ON two_way (notice) WHERE kind = 'notice.owed';

CREATE TABLE two_way_parties (
    case_stream text COLLATE "C" NOT NULL,
    department text NOT NULL,
    since bigint NOT NULL,              -- log position
    PRIMARY KEY (case_stream, department)
);

CREATE POLICY parties ON two_way FOR SELECT USING (read.is_party(case_stream));

-- For queries only:
CREATE INDEX two_way_seals_idx ON two_way (position) WHERE kind = 'seal.applied';
CREATE INDEX two_way_parties_department_idx ON two_way_parties (department, since);
