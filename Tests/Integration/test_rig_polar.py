"""The strict Polar Cloud judges: a printer that does everything right has no deviation, each wrong thing is one."""

from __future__ import annotations

import asyncio
import base64
import http.client
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import camera
import pytest
import socketio
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from harness import PolarCloud, Rig
from polar_cloud import SILENCE_SLACK
from strict_cloud import LATE

JSON = dict[str, Any]
AGENT = "printer-uplink/0.1.0"
KEY = rsa.generate_private_key(65537, 2048)
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)

STATUS: JSON = {
    "status": 0,
    "progress": "Idle",
    "progressDetail": "Idle",
    "estimatedTime": "0",
    "printSeconds": 0,
    "tool0": 22.0,
    "bed": 21.9,
    "targetTool0": 0.0,
    "targetBed": 0.0,
}


@pytest.fixture(scope="module")
def running() -> Iterator[PolarCloud]:
    """One cloud for all tests."""
    with Rig() as rig:
        rig.polar.start("--status-interval", "10", "--ping-interval", "1", "--ping-timeout", "1")
        yield rig.polar


@pytest.fixture
def polar(running: PolarCloud) -> PolarCloud:
    """The cloud, for which a new client begins; each test looks at what was complained about since."""
    running.client_restarted()
    return running


class Printer:
    """A printer on the real python-socketio client; every message can be spoilt before it is sent."""

    def __init__(self, cloud: PolarCloud) -> None:
        self.cloud = cloud
        self.client = socketio.AsyncClient(reconnection=False)
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.client.on("*", self._note)
        self.challenge = ""
        self.serial = ""

    async def _note(self, event: str, *arguments: Any) -> None:
        await self.heard.put((event, arguments[0] if arguments else None))

    async def connect(self, query: str = "", agent: str = AGENT) -> None:
        await self.client.connect(self.cloud.url + query, headers={"User-Agent": agent}, transports=["websocket"])
        self.challenge = (await self.next("welcome"))["challenge"]

    async def next(self, event: str) -> Any:
        while True:
            name, payload = await asyncio.wait_for(self.heard.get(), 5)
            if name == event:
                return payload

    async def emit(self, event: str, payload: Any) -> None:
        await self.client.emit(event, payload)

    def register(self, **changes: Any) -> JSON:
        whole = {"mfg": "kl", "email": self.cloud.email, "pin": self.cloud.pin, "publicKey": PUBLIC}
        return whole | {"mfgSn": "KL-02FC00000001", "myInfo": {"MAC": "02:FC:00:00:00:01"}} | changes

    def hello(self, **changes: Any) -> JSON:
        signature = KEY.sign(self.challenge.encode(), padding.PKCS1v15(), hashes.SHA256())
        whole = {"serialNumber": self.serial, "protocol": "2", "MAC": "02:FC:00:00:00:01", "localIP": "192.0.2.2"}
        whole |= {"signature": base64.b64encode(signature).decode(), "mfgSn": "KL-02FC00000001"}
        whole |= {"printerMake": "Ender 3", "version": "0.1.0", "camOff": 0, "rotateImg": 0, "transformImg": 0}
        return whole | changes

    def status(self, **changes: Any) -> JSON:
        return {"serialNumber": self.serial} | STATUS | changes

    async def registered(self) -> None:
        """Registers on a connection of its own, which is gone on return."""
        await self.connect()
        await self.emit("register", self.register())
        self.serial = (await self.next("registerResponse"))["serialNumber"]
        await self.client.disconnect()

    async def online(self) -> None:
        await self.registered()
        await self.connect()
        await self.emit("hello", self.hello())
        assert (await self.next("helloResponse"))["status"] == "SUCCESS"
        await self.emit("status", self.status())


def play(cloud: PolarCloud, script: Callable[[Printer], Coroutine[Any, Any, None]]) -> list[str]:
    """Runs the script, then returns what the cloud has to complain about."""

    async def run() -> None:
        printer = Printer(cloud)
        try:
            await script(printer)
            await asyncio.sleep(0.2)
        finally:
            await printer.client.disconnect()

    former = len(cloud.deviations())
    asyncio.run(run())
    return cloud.deviations()[former:]


def complains(found: list[str], reason: str) -> None:
    assert any(reason in text for text in found), found


def test_a_printer_that_does_everything_right_has_no_deviation(polar: PolarCloud) -> None:
    begin = time.monotonic()

    async def script(printer: Printer) -> None:
        await printer.online()
        await printer.emit("setVersion", {"serialNumber": printer.serial, "runningVersion": "0.1.0"})
        await printer.emit("getUrl", {"serialNumber": printer.serial, "method": "post", "type": "idle"})
        form = await printer.next("getUrlResponse")
        assert upload(form) == 204
        job = await asyncio.to_thread(polar.print)
        assert (await printer.next("print"))["jobId"] == job
        await asyncio.sleep(1.1)
        texts = {"progress": "Job Printing", "progressDetail": "Printing: 1.5%"}
        await printer.emit("status", printer.status(status=3, jobId=job, filamentUsed="7", bytesRead=5, **texts))
        await printer.emit(
            "job", {"serialNumber": printer.serial, "jobId": job, "state": "completed", "printSeconds": 9}
        )
        await asyncio.sleep(2.5)  # two pings
        await printer.emit("unregister", {"serialNumber": printer.serial})
        assert (await printer.next("unregisterResponse"))["status"] == "SUCCESS"

    assert play(polar, script) == []
    assert polar.codes(begin) == [0, 3]


REGISTRATIONS = [
    ({"mfg": "xx"}, "payload.mfg"),
    ({"email": "nobody"}, "payload.email"),
    ({"pin": 1234}, "payload.pin"),
    ({"publicKey": PUBLIC.strip()}, "SPKI PEM"),
    ({"publicKey": PUBLIC.replace("\n", "\r\n")}, "SPKI PEM"),
    ({"mfgSn": "1234567890"}, "payload.mfgSn"),
    ({"myInfo": {"MAC": "02:fc:00:00:00:01"}}, "payload.myInfo.MAC"),
    ({"serialNumber": "KL1"}, "not a key of this message"),
]


@pytest.mark.parametrize(("changes", "reason"), REGISTRATIONS)
def test_a_wrong_registration_is_a_deviation(polar: PolarCloud, changes: JSON, reason: str) -> None:
    async def script(printer: Printer) -> None:
        await printer.connect()
        await printer.emit("register", printer.register(**changes))

    complains(play(polar, script), reason)


def test_a_key_of_another_kind_is_a_deviation(polar: PolarCloud) -> None:
    small = rsa.generate_private_key(65537, 1024).public_key()
    pem = small.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    async def script(printer: Printer) -> None:
        await printer.connect()
        await printer.emit("register", printer.register(publicKey=pem))

    complains(play(polar, script), "2048 bits")


GREETINGS = [
    ({"signature": "A" * 342 + "=="}, "does not fit this connection's challenge"),
    ({"protocol": 2}, "payload.protocol"),
    ({"MAC": "02:FC:00:00:00:02", "mfgSn": "KL-02FC00000002"}, "was registered"),
    ({"camOff": True}, "payload.camOff"),
    ({"transformImg": 8}, "payload.transformImg"),
    ({"version": ""}, "payload.version"),
    ({"localIP": "host"}, "payload.localIP"),
]


@pytest.mark.parametrize(("changes", "reason"), GREETINGS)
def test_a_wrong_greeting_is_a_deviation(polar: PolarCloud, changes: JSON, reason: str) -> None:
    async def script(printer: Printer) -> None:
        await printer.registered()
        await printer.connect()
        await printer.emit("hello", printer.hello(**changes))

    complains(play(polar, script), reason)


def test_a_signature_over_the_former_challenge_is_a_deviation(polar: PolarCloud) -> None:
    async def script(printer: Printer) -> None:
        await printer.registered()
        former = printer.hello()["signature"]
        await printer.connect()
        await printer.emit("hello", printer.hello(signature=former))

    complains(play(polar, script), "does not fit this connection's challenge")


def test_what_may_not_follow_on_one_connection_is_a_deviation(polar: PolarCloud) -> None:
    async def script(printer: Printer) -> None:
        await printer.connect()
        await printer.emit("status", printer.status())
        await printer.emit("register", printer.register())
        printer.serial = (await printer.next("registerResponse"))["serialNumber"]
        await printer.emit("hello", printer.hello())

    found = play(polar, script)
    complains(found, "event.before_auth")
    complains(found, "hello after register on one connection")


def test_a_second_greeting_on_one_connection_is_a_deviation(polar: PolarCloud) -> None:
    async def script(printer: Printer) -> None:
        await printer.online()
        await printer.emit("hello", printer.hello())

    complains(play(polar, script), "hello twice")


STATUSES = [
    ({"status": "0"}, "payload.status"),
    ({"status": 9}, "never sent"),
    ({"serialNumber": "KL999999"}, "payload.serialNumber"),
    ({"estimatedTime": 0}, "payload.estimatedTime"),
    ({"printSeconds": "0"}, "payload.printSeconds"),
    ({"tool0": 21.987}, "one decimal"),
    ({"filamentUsed": "-41"}, "payload.filamentUsed"),
    ({"bytesRead": 0}, "payload.bytesRead"),
    ({"startTime": "yesterday"}, "payload.startTime"),
    ({"progressDetail": "Printing: 0.0%"}, "payload.progressDetail"),
    ({"jobId": "unknown"}, "never given out"),
    ({"status": 3, "progress": "Job Printing", "progressDetail": "Printing"}, "missing while a cloud job prints"),
    ({"stlFile": "http://x/y.stl"}, "not what the job was given out with"),
    ({"door": 1}, "not a key of this message"),
]


@pytest.mark.parametrize(("changes", "reason"), STATUSES)
def test_a_wrong_status_is_a_deviation(polar: PolarCloud, changes: JSON, reason: str) -> None:
    async def script(printer: Printer) -> None:
        await printer.online()
        await asyncio.sleep(1.1)
        await printer.emit("status", printer.status(**changes))

    complains(play(polar, script), reason)


def test_statuses_in_haste_and_long_silence_are_deviations(polar: PolarCloud) -> None:
    polar.set(status_interval=1.0 - SILENCE_SLACK)  # one second in all

    async def script(printer: Printer) -> None:
        await printer.online()
        await printer.emit("status", printer.status())
        await asyncio.sleep(1.5 + LATE)
        await printer.emit("status", printer.status())

    found = play(polar, script)
    polar.set(status_interval=10.0)
    complains(found, "not before 5 s")
    complains(found, "status only after")


def test_a_job_is_reported_once_and_only_if_it_was_given_out(polar: PolarCloud) -> None:
    async def script(printer: Printer) -> None:
        await printer.online()
        job = await asyncio.to_thread(polar.print)
        report = {"serialNumber": printer.serial, "jobId": job, "state": "canceled", "printSeconds": 0}
        await printer.emit("job", report)
        await printer.emit("job", report)
        await printer.emit("job", report | {"jobId": "another"})
        await printer.emit("job", report | {"state": "cancelled"})

    found = play(polar, script)
    complains(found, "reported already")
    complains(found, "'another' was never given out")
    complains(found, "payload.state")
    assert len(found) == 4


def upload(
    form: JSON, data: bytes | None = None, fields: JSON | None = None, first: bool = False, chunked: bool = False
) -> int:
    """A picture for a form, as it should be or not."""
    boundary = "xxBOUNDARYxx"
    fields = form["fields"] if fields is None else fields
    texts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="image.jpg"\r\n'
    picture = (
        (head + "Content-Type: image/jpeg\r\n\r\n").encode() + (camera.picture() if data is None else data) + b"\r\n"
    )
    pieces = [picture, *texts] if first else [*texts, picture]
    body = b"".join(pieces) + f"--{boundary}--\r\n".encode()
    _, _, rest = form["url"].partition("://")
    host, _, path = rest.partition("/")
    connection = http.client.HTTPConnection(host, timeout=5)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    connection.request("POST", f"/{path}", iter([body]) if chunked else body, headers, encode_chunked=chunked)
    status = connection.getresponse().status
    connection.close()
    return status


UPLOADS = [
    ({"data": b"no picture"}, "no whole JPEG"),
    ({"data": camera.picture()[:-100]}, "no whole JPEG"),
    ({"data": camera.picture() + b"\xff\xfe" + b"x" * 160_000 + b"\xff\xd9"}, "are allowed"),
    ({"fields": {}}, "every field once"),
    ({"first": True}, "file as the last"),
    ({"chunked": True}, "Content-Length"),
]


@pytest.mark.parametrize(("details", "reason"), UPLOADS)
def test_a_wrong_upload_is_a_deviation(polar: PolarCloud, details: JSON, reason: str) -> None:
    async def script(printer: Printer) -> None:
        await printer.online()
        await printer.emit("getUrl", {"serialNumber": printer.serial, "method": "post", "type": "idle"})
        form = await printer.next("getUrlResponse")
        assert await asyncio.to_thread(upload, form, **details) == 400

    complains(play(polar, script), reason)


def test_a_form_that_has_expired_is_refused_and_a_deviation(polar: PolarCloud) -> None:
    async def script(printer: Printer) -> None:
        await printer.online()
        await printer.emit("getUrl", {"serialNumber": printer.serial, "method": "post", "type": "printing"})
        await printer.emit("getUrl", {"serialNumber": printer.serial, "method": "post", "type": "idle"})
        form = await printer.next("getUrlResponse")
        await asyncio.to_thread(polar.order, "expire_forms")
        assert await asyncio.to_thread(upload, form) == 403

    found = play(polar, script)
    complains(found, "after it had expired")
    complains(found, "payload.jobId: due with type printing")


@pytest.mark.parametrize(
    ("path", "headers", "reason"),
    [
        ("/socket.io/?transport=websocket&EIO=3", {"User-Agent": AGENT}, "EIO=4 is due"),
        ("/socket.io/?transport=polling&EIO=4", {"User-Agent": AGENT}, "transport=websocket is due"),
        ("/socket.io/?transport=websocket&EIO=4", {"User-Agent": "curl/8"}, "header User-Agent"),
        ("/socket.io/?transport=websocket&EIO=4", {"User-Agent": AGENT, "Cookie": "a=b"}, "header Cookie"),
        ("/other", {"User-Agent": AGENT}, "is not an endpoint"),
    ],
)
def test_a_wrong_opening_is_a_deviation(polar: PolarCloud, path: str, headers: dict[str, str], reason: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", polar.port, timeout=5)
    connection.request("GET", path, headers=headers)
    assert connection.getresponse().status in (400, 404)
    complains(polar.deviations(), reason)


def test_a_wrong_pin_and_a_foreign_printer_are_refused_for_good(polar: PolarCloud) -> None:
    async def script(printer: Printer) -> None:
        await printer.registered()
        for changes, reason in (
            ({"pin": "0000"}, "EMAIL_PIN_ERROR"),
            ({"email": "other@example.test", "pin": "4321"}, "FORBIDDEN"),
        ):
            await printer.connect()
            await printer.emit("register", printer.register(**changes))
            assert (await printer.next("registerResponse"))["reason"] == reason
            await printer.client.disconnect()
        await printer.connect()
        await printer.emit("register", printer.register(pin="0000"))

    complains(play(polar, script), "refused for good")


def test_faults_and_ends_look_as_they_should(polar: PolarCloud) -> None:
    async def script(printer: Printer) -> None:
        await printer.online()
        for how in ("engine", "socketio", "close", "reset"):
            begin = time.monotonic()
            await asyncio.to_thread(polar.end, how)
            while printer.client.connected:
                assert time.monotonic() - begin < 5, how
                await asyncio.sleep(0.02)
            if how != "reset":
                await asyncio.sleep(5)
            await printer.connect()
            await printer.emit("hello", printer.hello())
            await printer.next("helloResponse")
        polar.fault("open", "status", status=503, retry_after=1)
        await printer.client.disconnect()
        with pytest.raises(socketio.exceptions.ConnectionError):
            await printer.connect()

    assert play(polar, script) == []
