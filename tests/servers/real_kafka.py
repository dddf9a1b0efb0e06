"""Apache Kafka 4.3.1 for the tests: one KRaft node on 127.0.0.1, jars from Maven outside the repository."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.servers.child import end, free_port, listening, spawn, tail

POM = Path(__file__).with_name("pom.xml")
START_TIMEOUT = 120.0  # seconds; a JVM on a busy machine
ADMIN = "admin"
HEAP = "-Xmx512m"

_LOG4J = """Configuration:
  status: WARN
  Appenders:
    Console:
      name: out
      PatternLayout: {pattern: "%d{ISO8601} %p %c{1} %m%n"}
  Loggers:
    Root: {level: WARN, AppenderRef: {ref: out}}
    Logger: {name: kafka.authorizer.logger, level: INFO}
"""


def available() -> bool:
    """Whether real Kafka can be asked for here: `java` and `mvn` on PATH. If so, a failure is a failure, not a skip."""
    return shutil.which("java") is not None and shutil.which("mvn") is not None


def jars() -> Path:
    """The directory of Kafka's jars, resolved by Maven once per content of pom.xml; parallel callers wait.

    Raises RuntimeError (with Maven's output) when something does not resolve.
    """
    content = hashlib.sha256(POM.read_bytes()).hexdigest()[:8]
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "shenguan"
    final = cache / f"kafka-4.3.1-{content}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as work:
                target = Path(work) / "jars"
                command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
                done = subprocess.run(
                    [*command, f"-DoutputDirectory={target}"], capture_output=True, text=True, timeout=900, check=False
                )
                if done.returncode != 0:
                    raise RuntimeError(f"mvn dependency:copy-dependencies failed:\n{done.stdout}\n{done.stderr}")
                target.rename(final)
    return final


class RealKafka:
    """One Kafka node with its own ports and log directory, which live as long as the object; SIGSTOP its `pid` at will.

    With `sasl`, clients log in with SCRAM-SHA-256 and an authorizer denies whatever no ACL allows; `admin` may do all.
    Raises RuntimeError with the end of Kafka's log when it does not start.
    """

    def __init__(self, *, sasl: bool = False, users: tuple[str, ...] = ()) -> None:
        """`users` get SCRAM credentials from the beginning (passwords by `options`); only with `sasl`."""
        self._sasl = sasl
        self._passwords = {user: secrets.token_urlsafe(16) for user in (ADMIN, *users)}
        self._dir = Path(tempfile.mkdtemp(prefix="shenguan-kafka-"))
        self._port, self._controller = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._formatted = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The JVM's process id; another one after a restart."""
        assert self._process is not None, "not running"
        return self._process.pid

    @property
    def bootstrap_servers(self) -> str:
        """`host:port`, the same after a restart."""
        return f"127.0.0.1:{self._port}"

    @property
    def log(self) -> Path:
        """What Kafka printed."""
        return self._dir / "kafka.log"

    def options(self, user: str = ADMIN) -> dict[str, Any]:
        """What a kafka-python client needs to speak to this node as `user`, bootstrap_servers included."""
        found: dict[str, Any] = {"bootstrap_servers": self.bootstrap_servers}
        if self._sasl:
            found |= {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "SCRAM-SHA-256",
                "sasl_plain_username": user,
                "sasl_plain_password": self._passwords[user],
            }
        return found

    def admin(self, user: str = ADMIN) -> KafkaAdminClient:
        """An administrative client; the caller closes it."""
        return KafkaAdminClient(**self.options(user))

    def start(self) -> None:
        """Format the log directory the first time, start, return when the node answers. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            return
        properties = self._dir / "server.properties"
        if not self._formatted:
            properties.write_text(self._properties())
            (self._dir / "log4j2.yaml").write_text(_LOG4J)
            self._format(properties)
            self._formatted = True
        java = [HEAP, "-Xms128m", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={self._dir / 'log4j2.yaml'}"]
        self._process = spawn(
            [*self._java(), *java, "kafka.Kafka", str(properties)],
            self.log,
            death_signal=signal.SIGKILL,
            cwd=self._dir,
        )
        self._await()

    def stop(self) -> None:
        """A controlled shutdown; data stays. Idempotent."""
        self._finish(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL; data stays. Idempotent."""
        self._finish(signal.SIGKILL)

    def restart(self) -> None:
        """Stop in order and start again, on the same port and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the node and remove its data."""
        self.kill()
        shutil.rmtree(self._dir, ignore_errors=True)

    def _java(self) -> list[str]:
        program = shutil.which("java")
        if program is None:
            raise RuntimeError("no java on PATH")
        return [program, "-cp", f"{jars()}/*"]

    def _format(self, properties: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        cluster = "S" + cluster[1:]  # a leading dash would read as an option
        command = [
            *self._java(),
            "-Xmx128m",
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={self._dir}/log4j2.yaml",
        ]
        command += ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties), "--standalone"]
        if self._sasl:
            for user, password in self._passwords.items():
                command += ["--add-scram", f"SCRAM-SHA-256=[name={user},password={password}]"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"StorageTool format failed:\n{done.stdout}\n{done.stderr}")

    def _properties(self) -> str:
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller}",
            "listeners": f"CLIENT://127.0.0.1:{self._port},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"CLIENT://127.0.0.1:{self._port}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "CLIENT",
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self._dir / "data"),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.num.partitions": "4",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.min.session.timeout.ms": "1000",
            # After a SIGKILL the controller lets the node register again only when its old session has run out.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
        }
        if self._sasl:
            module = "org.apache.kafka.common.security"
            scram, plain = f"{module}.scram.ScramLoginModule", f"{module}.plain.PlainLoginModule"
            login = f'username="{ADMIN}" password="{self._passwords[ADMIN]}"'
            lines |= {
                "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
                "sasl.enabled.mechanisms": "SCRAM-SHA-256",
                "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-256",
                # SCRAM credentials live in the metadata log, which controllers must reach first: hence PLAIN there.
                "sasl.mechanism.controller.protocol": "PLAIN",
                "listener.name.client.scram-sha-256.sasl.jaas.config": f"{scram} required {login};",
                "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
                "listener.name.controller.plain.sasl.jaas.config": (
                    f'{plain} required {login} user_{ADMIN}="{self._passwords[ADMIN]}";'
                ),
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": f"User:{ADMIN}",
                "allow.everyone.if.no.acl.found": "false",
            }
        return "".join(f"{name}={value}\n" for name, value in lines.items())

    def _await(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while self._process.poll() is None and time.monotonic() < deadline:
            if not listening(self._port):
                time.sleep(0.05)
                continue
            try:
                admin = KafkaAdminClient(**self.options(), bootstrap_timeout_ms=2000)
            except KafkaError:
                time.sleep(0.1)
                continue
            try:
                if admin.describe_cluster()["brokers"]:
                    return
            except KafkaError:
                time.sleep(0.1)
            finally:
                admin.close()
        self.kill()
        raise RuntimeError(f"Kafka did not start:\n{tail(self.log, 40)}")

    def _finish(self, how: signal.Signals) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                os.kill(self._process.pid, signal.SIGCONT)  # a stopped process would not hear anything but SIGKILL
            end(self._process, how, patience=30)
            self._process = None
