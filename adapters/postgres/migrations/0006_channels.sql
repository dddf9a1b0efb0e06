-- Channels beside Kafka: an order per department, evidence of their own, secrets outside the log.

ALTER TABLE shenguan.delivery ADD COLUMN reference text;  -- what the channel calls its message
-- What a gateway may still report on.
CREATE INDEX delivery_reported_idx ON shenguan.delivery (sent_at)
    WHERE channel = 'sms' AND sent_at IS NOT NULL AND delivered_at IS NULL;
-- A channel that is given up for a notice leaves the queue; that it was is in the log.
GRANT DELETE ON shenguan.delivery TO {runtime};

-- How a department's channel does: what the outlet needs to know to give it up, and people to mend it.
CREATE TABLE shenguan.channel_trouble (
    department text COLLATE "C" NOT NULL,
    channel text NOT NULL,
    failures integer NOT NULL,          -- since something last went through
    failed_at timestamptz NOT NULL,
    error text NOT NULL,
    gone text,                          -- the address that answered it is for good no more
    PRIMARY KEY (department, channel)
);
GRANT SELECT, INSERT, UPDATE ON shenguan.channel_trouble TO {runtime};

-- With what pushes to a department are signed.
CREATE TABLE vault.push_secret (
    department text COLLATE "C" NOT NULL,
    number integer NOT NULL,            -- 1, 2, 3 …
    wrapped bytea NOT NULL,             -- under the master key, which is not in the database
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    until timestamptz,                  -- still signed with until then, beside its successor; NULL: the present one
    PRIMARY KEY (department, number)
);
GRANT SELECT, INSERT, UPDATE (until) ON vault.push_secret TO {runtime};
