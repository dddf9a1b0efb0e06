"""Web servers for the tests: over TLS with an authority of their own, and as unruly as they are told to be."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Act = Callable[[BaseHTTPRequestHandler, "Server"], None]


class Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Authority:
    """Issues certificates for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        certificate = self._build(self._name, self._key, ca=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str = "127.0.0.1") -> ssl.SSLContext:
        """What a server of that address shows."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._build(name, key, ca=False, host=host)
        file = self._folder / f"{host}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _build(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool, host: str | None = None
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if host is not None:
            found = x509.IPAddress(ipaddress.ip_address(host))
            builder = builder.add_extension(x509.SubjectAlternativeName([found]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


class Server:
    """Keeps what it is sent. Acts as `acts` say, one after the other, then as `usual`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.acts: deque[Act] = deque()
        self.usual: Act = status(200)
        self.ending = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append(Request(self.path, headers, body))
                (server.acts.popleft() if server.acts else server.usual)(self, server)

            def log_message(self, *_: Any) -> None: ...

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self) -> Any:
                sock, address = super().get_request()
                if tls is None:
                    return sock, address
                try:
                    return tls.wrap_socket(sock, server_side=True), address
                except OSError:
                    sock.close()
                    raise

            def handle_error(self, *_: Any) -> None: ...

        self._http = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._http.server_address[1]}/notices"

    @contextmanager
    def running(self) -> Iterator[Server]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self.ending.set()
            self._http.shutdown()
            thread.join()
            self._http.server_close()


def status(code: int, body: bytes = b"{}", **headers: str) -> Act:
    def act(handler: BaseHTTPRequestHandler, _: Server) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def answer(content: Any, code: int = 200) -> Act:
    return status(code, json.dumps(content).encode())


def silence(handler: BaseHTTPRequestHandler, server: Server) -> None:
    """Says nothing until the end."""
    server.ending.wait()
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler, server: Server) -> None:
    """A good answer, a byte at a time, that never comes to its end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
    while not server.ending.wait(0.05):
        handler.wfile.write(b"a")


def flood(handler: BaseHTTPRequestHandler, server: Server) -> None:
    """A good answer with more than anybody wants to read."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not server.ending.is_set():
        handler.wfile.write(b"a" * 65536)
