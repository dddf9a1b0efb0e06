-- What witnesses said of the log's checkpoints, each by a signature of its own (C2SP tlog-cosignature).
CREATE TABLE proof.witness (
    verifier text PRIMARY KEY,          -- its key, as C2SP signed-note writes it
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE proof.cosignature (
    size bigint NOT NULL,               -- of the checkpoint
    verifier text NOT NULL REFERENCES proof.witness,
    line text NOT NULL,                 -- the signature line of the note; the witness's time is in it
    at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when it came
    PRIMARY KEY (size, verifier)
);
CREATE INDEX cosignature_verifier_idx ON proof.cosignature (verifier, size DESC);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof.witness
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof.cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
GRANT SELECT, INSERT ON proof.witness, proof.cosignature TO {runtime};
-- Who is asked no more is shown no more.
GRANT DELETE ON shenguan.follower TO {runtime};
