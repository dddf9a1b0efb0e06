-- What signed submissions came with, beside the facts that they made: the events have key and digest. The bytes are
-- sealed under the keys of all of whom they hold something; without them key, digest and signature still stand.
CREATE TABLE shenguan.signature (
    source text COLLATE "C" NOT NULL,   -- of the submission, as in the events
    id text COLLATE "C" NOT NULL,
    key text NOT NULL,                  -- thumbprint of the public key
    digest text NOT NULL,
    value text NOT NULL,                -- the signature itself
    subjects text[] NOT NULL,
    ciphertext text NOT NULL,           -- of the JWS, a line feed and the data exactly as they were signed
    PRIMARY KEY (source, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON shenguan.signature
    FOR EACH STATEMENT EXECUTE FUNCTION shenguan.refuse_change();
GRANT SELECT, INSERT ON shenguan.signature TO {runtime};
