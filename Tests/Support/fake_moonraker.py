"""Just enough of Moonraker, in the test's own process, to measure to the millisecond what reaches it and when."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

from aiohttp import WSMsgType, web

from harness import free_port


class FakeMoonraker:
    """Just enough of Moonraker to hand the daemon a status change at a known instant."""

    def __init__(self) -> None:
        self.port = free_port()
        self.ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._socket: web.WebSocketResponse | None = None
        self.calls: list[tuple[float, str, Any]] = []  # monotonic time, method, params
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        async def serve() -> None:
            application = web.Application()
            application.router.add_get("/websocket", self._websocket)
            application.router.add_post("/server/files/upload", self._upload)
            runner = web.AppRunner(application)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()

        self._loop.run_until_complete(serve())
        self._loop.run_forever()

    async def _upload(self, request: web.Request) -> web.Response:
        """Takes a file and throws it away."""
        size = 0
        async for chunk in request.content.iter_chunked(1 << 20):
            size += len(chunk)
        item = {"path": "large.gcode", "root": "gcodes", "modified": time.time(), "size": size, "permissions": "rw"}
        return web.json_response({"item": item, "action": "create_file"}, status=201)

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        answers: dict[str, Any] = {
            "server.connection.identify": {"connection_id": 1},
            "server.info": {"klippy_connected": True, "klippy_state": "ready", "components": []},
            "printer.info": {"state": "ready", "state_message": "Printer is ready", "hostname": "bench"},
            "printer.objects.list": {"objects": ["webhooks", "print_stats", "extruder", "heater_bed", "toolhead"]},
            "printer.objects.query": {"eventtime": 1.0, "status": {}},
            "printer.objects.subscribe": {
                "eventtime": 1.0,
                "status": {
                    "webhooks": {"state": "ready", "state_message": "Printer is ready"},
                    "print_stats": {"state": "standby", "filename": ""},
                    "extruder": {"temperature": 20.0, "target": 0.0},
                },
            },
        }
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            arrived = time.monotonic()
            call = json.loads(message.data)
            self.calls.append((arrived, call.get("method", ""), call.get("params")))
            if "id" in call:
                result = answers.get(call["method"], {})
                await socket.send_str(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}))
            if call.get("method") == "printer.objects.subscribe":
                self._socket = socket
                self.ready.set()
        return socket

    @property
    def scripts(self) -> list[tuple[float, str, Any]]:
        """The scripts that were sent: time, method, params."""
        return [call for call in self.calls if call[1] == "printer.gcode.script"]

    def change(self, temperature: float, eventtime: float) -> float:
        """Send a change of the nozzle's temperature; returns the monotonic time at which it left."""

        async def send() -> float:
            assert self._socket is not None
            change = [{"extruder": {"temperature": temperature}}, eventtime]
            text = json.dumps({"jsonrpc": "2.0", "method": "notify_status_update", "params": change})
            begin = time.monotonic()
            await self._socket.send_str(text)
            return begin

        return asyncio.run_coroutine_threadsafe(send(), self._loop).result(5)
