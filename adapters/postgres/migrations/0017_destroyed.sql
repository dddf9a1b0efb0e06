-- A key that is gone says since when, one that is there does not: no key goes without a trace.
-- {migrator}, {runtime} and {reader} are the names of the three database roles.
-- Of what went before, only that it was gone by now is known; and what is there was not destroyed.
UPDATE vault.subject_key SET destroyed_at = CASE WHEN wrapped IS NULL THEN clock_timestamp() END
    WHERE (wrapped IS NULL) <> (destroyed_at IS NOT NULL);
ALTER TABLE vault.subject_key ADD CONSTRAINT subject_key_destroyed_check
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL));
