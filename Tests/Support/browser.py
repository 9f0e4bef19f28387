"""A headless Chromium that a test drives by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import requests
from simple_websocket import Client

from harness import ManagedProcess, wait_until

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


KEYS = {"Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), " ": ("Space", 32, " "), "Escape": ("Escape", 27, "")}
"""Of a key: its code, its number, what it writes."""


class Browser(ManagedProcess):
    """One page of one browser."""

    def __init__(self, folder: Path) -> None:
        super().__init__("browser", folder)
        profile = folder / "profile"
        assert BROWSER
        self.launch(
            [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
            + ["--disable-background-networking", "--window-size=900,1100", "--remote-debugging-port=0"]
            + ["--remote-allow-origins=*", f"--user-data-dir={profile}", "about:blank"]
        )
        file = profile / "DevToolsActivePort"
        port = int(wait_until(lambda: file.exists() and file.read_text(), 30, "the browser").splitlines()[0])
        pages = requests.get(f"http://127.0.0.1:{port}/json/list", timeout=10).json()
        (page,) = [page for page in pages if page["type"] == "page"]
        self.socket = Client(page["webSocketDebuggerUrl"], max_message_size=64 << 20)
        self.number = 0
        self.asked: list[str] = []
        self.call("Page.enable")
        self.call("Network.enable")

    def call(self, method: str, **params: Any) -> Any:
        """One call of the protocol; its result. Requests that the page makes meanwhile are noted in `asked`."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.receive(timeout=20) or "null")
            assert message is not None, f"no answer to {method}"
            if message.get("method") == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        wait_until(lambda: self.run("document.readyState") == "complete", 20, url)

    def run(self, script: str) -> Any:
        """What an expression of the page's is."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, id: str) -> str:
        return self.run(f"document.getElementById({id!r}).textContent")

    def fill(self, id: str, text: str) -> None:
        """Types into a field, key by key as far as the page can tell."""
        self.run(f"document.getElementById({id!r}).focus(), document.getElementById({id!r}).select()")
        self.call("Input.insertText", text=text)

    def click(self, id: str) -> None:
        self.run(f"document.getElementById({id!r}).click()")

    def press(self, key: str, shift: bool = False) -> None:
        """One key, pressed and let go."""
        code, number, text = KEYS[key]
        base = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **base)
        self.call("Input.dispatchKeyEvent", type="keyUp", **base)

    def write(self, text: str) -> None:
        """Types into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def size(self, width: int, height: int = 900) -> None:
        """Another window; a narrow one is a phone's."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def scheme(self, name: str) -> None:
        """`light` or `dark`, and no motion, as far as the page asks."""
        features = [
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def headers(self, **fields: str) -> None:
        """Fields that every request of the page's carries from now on, as behind a proxy."""
        self.call(
            "Network.setExtraHTTPHeaders", headers={key.replace("_", "-"): value for key, value in fields.items()}
        )

    def names(self) -> dict[str, str]:
        """What a screen reader says of each control: role by name."""
        self.call("Accessibility.enable")
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        wanted = {"textbox", "combobox", "checkbox", "button", "searchbox"}
        return {
            node["name"]["value"]: node["role"]["value"]
            for node in nodes
            if node.get("role", {}).get("value") in wanted and not node.get("ignored")
        }

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def close(self) -> None:
        try:
            self.socket.close()
        finally:
            self.kill()
