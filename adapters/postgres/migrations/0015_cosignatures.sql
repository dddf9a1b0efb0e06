-- What witnesses have signed under the log's checkpoints, each once for a size.
-- {migrator}, {runtime} and {reader} are the names of the three database roles.
CREATE TABLE proof.cosignature (
    size bigint NOT NULL REFERENCES proof.checkpoint,
    witness text COLLATE "C" NOT NULL,  -- its verifier key, as C2SP signed-note writes it
    line text NOT NULL,                 -- the signature line, without its newline
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (size, witness)
);
CREATE INDEX cosignature_witness_idx ON proof.cosignature (witness, size);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof.cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
GRANT SELECT, INSERT ON proof.cosignature TO {runtime};
