-- How often intake gave which disposition, counted as it gives them: no metric need count the submissions.
CREATE TABLE shenguan.outcome_count (disposition text PRIMARY KEY, count bigint NOT NULL);
INSERT INTO shenguan.outcome_count SELECT disposition, count(*) FROM shenguan.submission GROUP BY disposition;
GRANT SELECT, INSERT, UPDATE ON shenguan.outcome_count TO {runtime};
