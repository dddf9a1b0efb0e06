-- Several stores: how far other stores' logs were read from Kafka, and where this one's was written to.
-- {migrator}, {runtime} and {reader} are the names of the three database roles.

CREATE TABLE shenguan.log_reading (
    reader text NOT NULL,               -- who reads: each on its own, also the same log
    store text NOT NULL,                -- whose log
    topic_id text NOT NULL,             -- of its topic; one made anew is read from its start
    next_offset bigint NOT NULL,
    position bigint NOT NULL,           -- in that store's log: what lies before it is known
    read_at timestamptz NOT NULL,
    PRIMARY KEY (reader, store)
);

-- The topic that holds this store's whole log; one made anew is filled from the log's start.
CREATE TABLE shenguan.published_log (
    topic text PRIMARY KEY,
    topic_id text NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON shenguan.log_reading, shenguan.published_log TO {runtime};

-- One more topic belongs to the registers.
DROP INDEX shenguan.stored_events_register_idx;
CREATE INDEX stored_events_register_idx ON shenguan.stored_events (notification_id) WHERE topic IN ({register_topics});
