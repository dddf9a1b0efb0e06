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

-- For queries only:
CREATE INDEX inspections_case_idx ON inspections (case_stream, department);
