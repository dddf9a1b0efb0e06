-- Keys of what was handed in over HTTP are kept for a time that a setting says; the role `clock` forgets the older ones.
CREATE INDEX http_request_created_idx ON shenguan.http_request (created_at);
GRANT DELETE ON shenguan.http_request TO {runtime};
