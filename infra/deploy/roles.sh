#!/bin/sh
# NEVER RUN HERE (see compose.yaml). The three database roles and the database, once, as PostgreSQL's superuser.
set -eu
psql -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" \
  -v migrator="$MIGRATOR_PASSWORD" -v runtime="$RUNTIME_PASSWORD" -v reader="$READER_PASSWORD" <<'SQL'
CREATE ROLE shenguan_migrator LOGIN PASSWORD :'migrator';
CREATE ROLE shenguan_runtime LOGIN PASSWORD :'runtime';
CREATE ROLE shenguan_reader LOGIN PASSWORD :'reader';
CREATE DATABASE shenguan OWNER shenguan_migrator;
SQL
