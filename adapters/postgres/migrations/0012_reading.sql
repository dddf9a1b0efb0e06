-- Whoever sees all rows is asked for no case: and where read models are rebuilt beside each other, it is the old ones'
-- parties that count until the new ones take their place.
CREATE OR REPLACE FUNCTION read.is_party(stream text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF current_setting('shenguan.department', true) = '*' THEN
        RETURN true;
    END IF;
    RETURN EXISTS (SELECT FROM read.two_way_parties AS p WHERE p.case_stream = stream);
END
$$;

-- A day's facts are found by it also before the log is vacuumed.
ALTER INDEX shenguan.stored_events_recorded_at_idx SET (autosummarize = on);

-- Read models that were made before their files had this policy.
DO $$
BEGIN
    IF to_regclass('read.two_way') IS NOT NULL THEN
        DROP POLICY parties ON read.two_way;
        CREATE POLICY parties ON read.two_way FOR SELECT USING (read.is_party(case_stream));
    END IF;
END
$$;
