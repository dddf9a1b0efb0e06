-- Who waits for a notice waits for the fact that owes it, whoever its addressee will be: `<source>/<submission id>`.
ALTER TABLE shenguan.parked ADD COLUMN fact text COLLATE "C" GENERATED ALWAYS AS (
    CASE WHEN stream LIKE 'notice/%' THEN split_part(stream, '/', 3) || '/' || split_part(stream, '/', 4) END
) STORED;
CREATE INDEX parked_fact_idx ON shenguan.parked (fact) WHERE fact IS NOT NULL;
