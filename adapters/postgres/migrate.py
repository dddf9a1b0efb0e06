"""Numbered SQL migrations, each applied once, and the read models' tables; several processes may start at once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from domain.registers import REGISTER_TOPICS
from projections.catalogue import PROJECTIONS, REGION
from projections.projection import Projection

MIGRATION_LOCK = 0x4D49_4752
FOLDER = Path(__file__).parent / "migrations"


class MigrationError(Exception):
    """The database was migrated by other text than this program carries."""


def role_of(url: str) -> str:
    """The database user that a URL connects as."""
    with psycopg.connect(url) as conn:
        return conn.info.user


def migrate(migrator_url: str, runtime_role: str, reader_role: str) -> list[str]:
    """Applies what is missing; returns its names. Raises MigrationError where an applied migration's text differs."""
    names = {
        "runtime": sql.Identifier(runtime_role),
        "reader": sql.Identifier(reader_role),
        "migrator": sql.Identifier(str(conninfo_to_dict(migrator_url).get("user") or role_of(migrator_url))),
        "register_topics": sql.SQL(", ").join(sql.Literal(topic) for topic in REGISTER_TOPICS),
    }
    done: list[str] = []
    with psycopg.connect(migrator_url) as conn:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        conn.execute(
            "CREATE TABLE IF NOT EXISTS public.shenguan_migration"
            " (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied: dict[str, str] = dict(conn.execute("SELECT name, sha256 FROM public.shenguan_migration").fetchall())
        for path in sorted(FOLDER.glob("[0-9]*.sql")):
            text = path.read_text(encoding="utf-8")
            digest = hashlib.sha256(text.encode()).hexdigest()
            if path.stem in applied:
                if applied[path.stem] != digest:
                    raise MigrationError(f"migration {path.stem} was applied with another text")
                continue
            conn.execute(sql.SQL(text).format(**names))
            conn.execute("INSERT INTO public.shenguan_migration (name, sha256) VALUES (%s, %s)", (path.stem, digest))
            done.append(path.stem)
        for projection in (*PROJECTIONS, REGION):
            if _missing(conn, projection.tables):
                create_tables(conn, projection, "read", names)
                create_indexes(conn, projection, "read")
                done.append(f"read.{projection.name}")
    return done


def create_tables(
    conn: psycopg.Connection[Any], projection: Projection, schema: str, names: dict[str, sql.Composable]
) -> None:
    """A read model's tables in `schema`, with what runtime and readers may do; rows are a department's own."""
    tables, _ = projection.ddl()
    conn.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
    conn.execute(tables)
    for table in projection.tables:
        conn.execute(
            sql.SQL(
                "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {table} TO {runtime};"
                "GRANT SELECT ON {table} TO {reader};"
                "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
                "CREATE POLICY own ON {table} FOR SELECT TO {reader} USING ("
                "  current_setting('shenguan.department', true) IN (department, '*'));"
                "CREATE POLICY all_rows ON {table} TO {runtime} USING (true) WITH CHECK (true)"
            ).format(table=sql.Identifier(table), runtime=names["runtime"], reader=names["reader"])
        )
    conn.execute("RESET search_path")


def create_indexes(conn: psycopg.Connection[Any], projection: Projection, schema: str) -> None:
    """What queries need beside the tables."""
    _, indexes = projection.ddl()
    if indexes:
        conn.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(schema)))
        conn.execute(indexes)
        conn.execute("RESET search_path")


def _missing(conn: psycopg.Connection[Any], tables: tuple[str, ...]) -> bool:
    return any(conn.execute("SELECT to_regclass(%s)", (f"read.{table}",)).fetchone() == (None,) for table in tables)
