-- Of every store in the region: what a store's own receipt ledger says of a notice's state, and which cases were decided.
-- No person's name or number is here, sealed or not.
CREATE TABLE region_notices (
    store text COLLATE "C" NOT NULL,
    notice text COLLATE "C" NOT NULL,
    department text NOT NULL,           -- the addressee
    serial bigint NOT NULL,
    case_stream text COLLATE "C" NOT NULL,
    about text NOT NULL,
    owed_at timestamptz NOT NULL,
    received_at timestamptz,
    deemed_at timestamptz,              -- 视为接收, by a local rule
    moved_at timestamptz,
    status text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN moved_at IS NOT NULL THEN 'moved'
        WHEN received_at IS NOT NULL THEN 'received'
        WHEN deemed_at IS NOT NULL THEN 'deemed'
        ELSE 'outstanding' END) STORED,
    PRIMARY KEY (store, notice)
);
CREATE INDEX region_notices_outstanding_idx ON region_notices (owed_at) WHERE status = 'outstanding';

CREATE TABLE region_decisions (
    store text COLLATE "C" NOT NULL,
    case_stream text COLLATE "C" NOT NULL,
    department text NOT NULL,           -- the organ
    decided_on date NOT NULL,
    PRIMARY KEY (store, case_stream)
);
