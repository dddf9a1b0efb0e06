-- The calendar belongs to the registers.

DROP INDEX shenguan.stored_events_register_idx;
CREATE INDEX stored_events_register_idx ON shenguan.stored_events (notification_id) WHERE topic IN ({register_topics});
