-- Inspections of permits' holders: one row per inspection, as it stands after corrections.
CREATE TABLE inspections (
    department text NOT NULL,           -- who inspected
    number text COLLATE "C" NOT NULL,   -- 检查行为编号
    case_stream text COLLATE "C" NOT NULL,
    matter text NOT NULL,
    item text NOT NULL,                 -- 监管事项目录编码
    category text NOT NULL,
    result text NOT NULL,
    inspected_on date NOT NULL,
    corrections bigint NOT NULL,
    retracted_at timestamptz,           -- recorded
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (department, number)
);

-- Every party to the case sees its inspections, as it sees the two-way record.
CREATE POLICY told ON inspections FOR SELECT USING (read.is_party(case_stream));

-- For queries only:
CREATE INDEX inspections_case_idx ON inspections (case_stream, department);
CREATE INDEX inspections_recorded_idx ON inspections (recorded_at);
