"""Gives the library's `Application` our recorder."""

from __future__ import annotations

from eventsourcing import postgres  # a module: the library wants one factory class in this one

from adapters.postgres.recorder import LogRecorder


class Factory(postgres.PostgresFactory):
    """The tables come from the migrations, never from the library."""

    application_recorder_class = LogRecorder
    process_recorder_class = LogRecorder

    def env_create_table(self) -> bool:
        return False
