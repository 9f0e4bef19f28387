"""Whoever is on the network may try anything: the right status or a closed connection, memory flat, the others served."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from cura_client import CLUSTER, CuraClient, raw
from harness import PATIENCE, Rig, wait_until

from cura_printing import client, memory, port_of, short_gcode, spool_files, start_cura

HEAD = b"Host: 127.0.0.1\r\nConnection: close\r\n"
UPLOAD = f"POST {CLUSTER}/print_jobs/ HTTP/1.1\r\n".encode() + HEAD


@pytest.fixture(scope="module")
def hostile_rig() -> Iterator[Rig]:
    with Rig() as rig:
        start_cura(rig)
        yield rig
        assert rig.daemon.process.running, rig.daemon.log()[-5000:]


@pytest.fixture
def cura(hostile_rig: Rig) -> Iterator[CuraClient]:
    """A Cura that polls as if nothing were; afterwards memory and files are as before."""
    with client(hostile_rig) as cura:
        cura.poll()
        begin = memory(hostile_rig)
        yield cura
        cura.poll()
        wait_until(lambda: not spool_files(hostile_rig), 10 * PATIENCE, "an empty staging folder", 0.1)
        assert memory(hostile_rig) - begin < 4_000 * PATIENCE
        # What came whole and was no print is shown as failed, since Cura says "sent" to everything.
        assert {job["status"] for job in cura.jobs()} <= {"error"}
        assert cura.deviations == []


def answer(rig: Rig, data: bytes, timeout: float = 5.0) -> int | None:
    """The status of what comes back; None where the connection was closed."""
    received = raw("127.0.0.1", port_of(rig), data, timeout * PATIENCE)
    words = received.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: 5x\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Host: other\r\n",
    ],
)
def test_headers_that_contradict_are_refused(cura: CuraClient, hostile_rig: Rig, headers: bytes) -> None:
    kind = b'Content-Type: multipart/form-data; boundary="b"\r\n'
    status = answer(hostile_rig, UPLOAD + kind + headers + b"\r\n--b\r\n")
    assert status is None or 400 <= status < 600


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"5\r\nabc\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"-5\r\n",
        b"5;" + b"x" * 100_000 + b"\r\n",
    ],
)
def test_garbage_in_chunks_is_refused(cura: CuraClient, hostile_rig: Rig, body: bytes) -> None:
    kind = b'Content-Type: multipart/form-data; boundary="b"\r\nTransfer-Encoding: chunked\r\n\r\n'
    received = raw("127.0.0.1", port_of(hostile_rig), UPLOAD + kind + body, 3 * PATIENCE, shut=True)
    # What fills libmicrohttpd's buffer without a chunk in it gets its own 500; we are not asked.
    expected = (b"HTTP/1.1 4", b"HTTP/1.1 500") if len(body) > 50_000 else (b"HTTP/1.1 4",)
    assert not received or received.startswith(expected), received[:100]


def test_a_hundred_thousand_headers(cura: CuraClient, hostile_rig: Rig) -> None:
    data = b"GET /cluster-api/v1/printers HTTP/1.1\r\n" + HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(100_000))
    assert answer(hostile_rig, data + b"\r\n") in (None, 400, 413, 431)


def test_a_header_without_end(cura: CuraClient, hostile_rig: Rig) -> None:
    assert answer(hostile_rig, b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"y" * 200_000) in (None, 400, 413, 431)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"text/plain", b"hello"),
        (b"multipart/form-data", b"--b--\r\n"),
        (b"multipart/form-data; boundary=", b"--\r\n"),
        (b'multipart/form-data; boundary="' + b"x" * 500 + b'"', b"--"),
        (b"multipart/form-data; boundary=b", b""),
        (b"multipart/form-data; boundary=b", b"--b--\r\n"),
        (b"multipart/form-data; boundary=b", b"no boundary at all"),
        (b"multipart/form-data; boundary=b", b"--b\r\n\r\nno disposition\r\n--b--\r\n"),
        (b"multipart/form-data; boundary=b", b"--b\r\n" + b"X: y\r\n" * 5_000 + b"\r\n"),
        (b"multipart/form-data; boundary=b", b"--b\r\n" + b"x" * 100_000),
        (
            b"multipart/form-data; boundary=b",
            b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.gcode"\r\n\r\nG28',
        ),
        (
            b"multipart/form-data; boundary=b",
            b"".join(b'--b\r\ncontent-disposition: form-data; name="p%d"\r\n\r\nx\r\n' % n for n in range(3_000))
            + b"--b--\r\n",
        ),
        (
            b"multipart/form-data; boundary=b",
            b'--b\r\ncontent-disposition: form-data; name="owner"\r\n\r\n' + b"o" * 300_000 + b"\r\n--b--\r\n",
        ),
    ],
)
def test_forms_that_are_none(cura: CuraClient, hostile_rig: Rig, kind: bytes, body: bytes) -> None:
    data = UPLOAD + b"Content-Type: " + kind + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    status = answer(hostile_rig, data)
    assert status is not None
    assert 400 <= status < 500


def test_a_form_without_end(cura: CuraClient, hostile_rig: Rig) -> None:
    """Chunk by chunk for ever: the limit ends it, or its silence does."""
    part = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.gcode"\r\n\r\n'
    head = UPLOAD + b"Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", port_of(hostile_rig)), 10) as connection:
        connection.sendall(head + b"%x\r\n" % len(part) + part + b"\r\n")
        with contextlib.suppress(OSError):
            for _ in range(200):
                connection.sendall(chunk)
    assert {job["status"] for job in cura.poll()[1]} <= {"error"}


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"action": "' + b"x" * 100_000 + b'"}', b"\xff\xfe"])
def test_json_that_is_none(cura: CuraClient, hostile_rig: Rig, method: str, body: bytes) -> None:
    path = f"{CLUSTER}/print_jobs/00000000-0000-4000-8000-000000000000/action" + ("/move" if method == "POST" else "")
    head = f"{method} {path} HTTP/1.1\r\n".encode() + HEAD
    head += b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert answer(hostile_rig, head + body) in (400, 404, 413)


@pytest.mark.parametrize(
    "path",
    [
        b"/../../etc/passwd",
        b"/cluster-api/v1/../../machine/reboot",
        b"/cluster-api/v1/print_jobs/%2e%2e/preview_image",
        b"/cluster-api/v1/print_jobs/" + b"a" * 5_000,
        b"//cluster-api//v1//printers",
        b"/cluster-api/v1/printers%00",
        b"/cluster-api/v1/print_jobs/\xff\xfe/action",
        b"http://127.0.0.1/machine/reboot",
    ],
)
def test_path_tricks_lead_nowhere(cura: CuraClient, hostile_rig: Rig, path: bytes) -> None:
    assert answer(hostile_rig, b"GET " + path + b" HTTP/1.1\r\n" + HEAD + b"\r\n") in (None, 400, 404, 414, 431)


def test_requests_that_drip_do_not_hold_up_cura(cura: CuraClient, hostile_rig: Rig) -> None:
    """Slow headers and slow bodies: they are closed in the end, and Cura is answered all the while."""
    drips = []
    for number in range(20):
        connection = socket.create_connection(("127.0.0.1", port_of(hostile_rig)), 5)
        start = UPLOAD if number % 2 else b"GET /cluster-api/v1/printers HTTP/1.1\r\n"
        with contextlib.suppress(OSError):
            connection.sendall(start)
        drips.append(connection)
    deadline = time.monotonic() + 12 * PATIENCE
    closed = 0
    while closed < len(drips) and time.monotonic() < deadline:
        for connection in list(drips):
            with contextlib.suppress(BlockingIOError):
                connection.setblocking(False)
                try:
                    connection.send(b"X")
                    ended = connection.recv(4096) == b""
                except BlockingIOError:
                    ended = False
                except OSError:
                    ended = True
                if ended:
                    connection.close()
                    drips.remove(connection)
        cura.printers()
        if not drips:
            break
        time.sleep(0.25)
    assert not drips, f"{len(drips)} connections are still open"


def test_many_connections_of_one_address(cura: CuraClient, hostile_rig: Rig) -> None:
    """Two hundred here (ten thousand in the long runs): Cura, on a connection that it has, is answered."""
    flood(cura, hostile_rig, 200)


@pytest.mark.soak
def test_ten_thousand_connections_of_one_address(cura: CuraClient, hostile_rig: Rig) -> None:
    flood(cura, hostile_rig, 10_000)


def flood(cura: CuraClient, rig: Rig, count: int) -> None:
    held: list[socket.socket] = []
    try:
        for number in range(count):
            with contextlib.suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", port_of(rig)), 2)
                held.append(connection)
                if len(held) > 500:
                    held.pop(0).close()
            if number % 100 == 0:
                cura.printers()
        cura.printers()
    finally:
        for connection in held:
            connection.close()
    time.sleep(0.5)


def test_a_print_by_a_page_of_the_web_is_refused(cura: CuraClient, hostile_rig: Rig) -> None:
    lines, body = cura.upload_bytes("evil.gcode", short_gcode())
    for extra in ("Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"):
        head = f"POST {CLUSTER}/print_jobs/ HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in [*lines, extra]) + "\r\n"
        with socket.create_connection(("127.0.0.1", port_of(hostile_rig)), 5) as connection:
            connection.sendall(head.encode() + body)
            assert connection.recv(4096).startswith(b"HTTP/1.1 403")
