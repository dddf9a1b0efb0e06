-- The transparency log over the event log: what was integrated, what was signed, with which keys. Nothing of it is ever
-- changed but the last tile of a row, which grows.
-- {migrator}, {runtime} and {reader} are the names of the three database roles.

CREATE SCHEMA proof;

-- Tiles as C2SP tlog-tiles has them, of several trees.
CREATE TABLE proof.tile (
    tree text COLLATE "C" NOT NULL,     -- '' the log's; else the addressee whose ledger it is of
    level smallint NOT NULL,
    number bigint NOT NULL,
    hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    PRIMARY KEY (tree, level, number)
);
ALTER TABLE proof.tile ALTER hashes SET STORAGE EXTERNAL;  -- hashes do not compress

-- Leaf indexes are dense, positions may have gaps: from `index` on they run along, until the next row.
CREATE TABLE proof.run (
    index bigint PRIMARY KEY,
    position bigint NOT NULL UNIQUE
);

-- One for every state that the tree was signed in; the last one is how far the log is integrated.
CREATE TABLE proof.checkpoint (
    size bigint PRIMARY KEY,            -- leaves
    position bigint NOT NULL UNIQUE,    -- of the last of them
    root bytea NOT NULL,
    ledgers integer NOT NULL,           -- addressees that have a ledger
    ledgers_root bytea NOT NULL,
    note text NOT NULL,                 -- the signed note
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How far a ledger had come, at the checkpoints with which it had grown.
CREATE TABLE proof.ledger_head (
    addressee text COLLATE "C" NOT NULL,
    size bigint NOT NULL,               -- of the checkpoint
    entries bigint NOT NULL,
    root bytea NOT NULL,
    PRIMARY KEY (addressee, size)
);
CREATE INDEX ledger_head_size_idx ON proof.ledger_head (size);

-- Verifier keys, public; the private ones are never in the database.
CREATE TABLE proof.key (
    verifier text PRIMARY KEY,          -- as C2SP signed-note writes it
    since timestamptz NOT NULL
);
CREATE TABLE proof.key_end (
    verifier text PRIMARY KEY REFERENCES proof.key,
    until timestamptz NOT NULL          -- signs no checkpoint after it
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof.run
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof.ledger_head
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof.key
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof.key_end
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON proof.tile
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();

CREATE FUNCTION proof.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF substr(NEW.hashes, 1, octet_length(OLD.hashes)) <> OLD.hashes THEN
        RAISE EXCEPTION 'a tile only grows: change refused' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_grows BEFORE UPDATE ON proof.tile FOR EACH ROW EXECUTE FUNCTION proof.refuse_rewriting();

GRANT USAGE ON SCHEMA proof TO {runtime};
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA proof TO {runtime};
GRANT UPDATE (hashes) ON proof.tile TO {runtime};
