-- What is handed in over HTTP, by the key that its sender gave it: the same key is the same submission, sent again.
-- Without a key its id stands for one.
CREATE TABLE shenguan.http_request (
    caller text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,              -- of what was asked
    id text NOT NULL UNIQUE,            -- of the submission that it became
    type text NOT NULL,
    department text NOT NULL,           -- for whom the caller spoke
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);
GRANT SELECT, INSERT ON shenguan.http_request TO {runtime};

-- Whether the reader's department is a party to the case. Found when called: read models are rebuilt beside each other.
CREATE FUNCTION read.is_party(stream text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM read.two_way_parties AS p WHERE p.case_stream = stream);
END
$$;
GRANT EXECUTE ON FUNCTION read.is_party TO {reader};

-- Read models that were made before their files had these policies and indexes.
DO $$
BEGIN
    IF to_regclass('read.approvals') IS NOT NULL THEN
        CREATE POLICY told ON read.approvals FOR SELECT USING (read.is_party(stream));
        CREATE INDEX approvals_recorded_idx ON read.approvals (recorded_at);
        CREATE INDEX approvals_uscc_idx ON read.approvals (uscc) WHERE uscc IS NOT NULL;
        CREATE INDEX approvals_decision_idx ON read.approvals (decision_position) WHERE outcome = 'granted';
    END IF;
    IF to_regclass('read.inspections') IS NOT NULL THEN
        CREATE POLICY told ON read.inspections FOR SELECT USING (read.is_party(case_stream));
        CREATE INDEX inspections_recorded_idx ON read.inspections (recorded_at);
    END IF;
    IF to_regclass('read.two_way_parties') IS NOT NULL THEN
        CREATE INDEX two_way_parties_department_idx ON read.two_way_parties (department, since);
    END IF;
    IF to_regclass('read.receipts') IS NOT NULL THEN
        CREATE POLICY organ ON read.receipts FOR SELECT
            USING (starts_with(case_stream, 'case/' || current_setting('shenguan.department', true) || '/'));
    END IF;
    IF to_regclass('read.two_way') IS NOT NULL THEN
        CREATE INDEX two_way_seals_idx ON read.two_way (position) WHERE kind = 'seal.applied';
    END IF;
END
$$;
