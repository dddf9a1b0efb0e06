-- Which attempts the rules of the notice refused.
CREATE TABLE attempts (
    position bigint PRIMARY KEY,
    department text NOT NULL,           -- who tried; '' for classified matters, of which nothing is kept
    principal text NOT NULL,
    rule text NOT NULL,
    clause text,
    type text NOT NULL,                 -- of the submission
    about text,                         -- the stream of the case or notice
    fact text NOT NULL,                 -- source/id of the submission
    officer text,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL
);

-- For queries only:
CREATE INDEX attempts_about_idx ON attempts (about);
CREATE INDEX attempts_department_idx ON attempts (department, position);
