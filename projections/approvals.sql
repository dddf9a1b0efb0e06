-- Who approved what: one row per case.
CREATE TABLE approvals (
    stream text COLLATE "C" PRIMARY KEY,
    organ text NOT NULL,                -- the department that accepted the case
    number text NOT NULL,
    department text NOT NULL,           -- whose row it is: the organ's
    matter text NOT NULL,
    matter_name text NOT NULL,          -- as it was when the case was accepted
    party_kind text NOT NULL,
    party_name jsonb NOT NULL,          -- a string, or a sealed value where the name is personal
    uscc text,
    uscc_valid boolean,                 -- whether its check character holds
    status text NOT NULL,               -- accepted, granted, not_granted, discontinued, penalised, ended
    ended_by text,                      -- withdrawn, revoked, cancelled, annulled
    accepted_on date NOT NULL,
    outcome text,                       -- granted, not_granted, discontinued
    document_number text,
    decided_on date,
    decided_by text,                    -- the department that held the power and decided
    officer text,
    officer_name jsonb,                 -- sealed
    power_since date,                   -- the transfer in force that gave the power; empty where none was needed
    power_basis text,
    legacy boolean NOT NULL,
    decision_recorded_at timestamptz,
    decision_position bigint,
    licence_number jsonb, -- a string, or sealed where it holds an identity number
    valid_from date,
    valid_to date,
    certificate text,
    electronic_id text,                 -- GB/T 36904
    ended_on date,
    penalised_on date,                  -- since when it is revoked by penalty 吊销
    suspensions jsonb,                  -- [{by, since, until, lifted}]: 暂扣 by a penalty's number, stop-execution by none
    terms jsonb,                        -- [{since, until}] where it was extended: since when it is valid until when
    routed boolean NOT NULL,            -- somebody was to hear of the decision as the matter was routed
    anew boolean NOT NULL,              -- ordered to be decided anew, and not yet accepted again
    seals bigint NOT NULL,              -- seal actions that were applied
    manner text,                        -- ordinary, commitment, lacking
    "window" text,                      -- where in the hall it was decided
    outside_window boolean NOT NULL,    -- elsewhere than in an authorised window
    decide_by date,                     -- until when it is to be decided, as the guide promised, but for what stood still
    expired_on date,                    -- the last day of its validity, once its end was told
    last_change text,                   -- topic of the last event after the decision that changed the permit
    last_change_on date,
    recorded_at timestamptz NOT NULL,   -- of the acceptance
    last_position bigint NOT NULL
);

-- Whoever was told of the case, or acted in it, sees it too.
CREATE POLICY told ON approvals FOR SELECT USING (read.is_party(stream));

-- The matters' current names.
CREATE TABLE approval_matters (
    matter text COLLATE "C" PRIMARY KEY,
    department text NOT NULL,           -- the competent department
    name text NOT NULL
);

-- For queries only:
CREATE INDEX approvals_open_idx ON approvals (department, decide_by) WHERE outcome IS NULL;
CREATE INDEX approvals_number_idx ON approvals (number);
CREATE INDEX approvals_department_idx ON approvals (department, decided_on);
CREATE INDEX approvals_matter_idx ON approvals (matter, decided_on);
CREATE INDEX approvals_decided_idx ON approvals (decided_on);
CREATE INDEX approvals_recorded_idx ON approvals (recorded_at);
CREATE INDEX approvals_uscc_idx ON approvals (uscc) WHERE uscc IS NOT NULL;
CREATE INDEX approvals_decision_idx ON approvals (decision_position) WHERE outcome = 'granted';
