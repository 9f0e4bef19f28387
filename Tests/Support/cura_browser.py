"""Looks for printers as Cura does, with python-zeroconf; one JSON object a line for all that comes and goes.

Run on the host that looks: `cura_browser.py ADDRESS`
"""

from __future__ import annotations

import json
import sys
import time

from zeroconf import IPVersion, ServiceBrowser, ServiceStateChange, Zeroconf

KIND = "_ultimaker._tcp.local."
KINDS = {
    ServiceStateChange.Added: "added",
    ServiceStateChange.Updated: "updated",
    ServiceStateChange.Removed: "removed",
}


def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
    event = {"kind": KINDS[state_change], "name": name, "at": time.monotonic()}
    if state_change is not ServiceStateChange.Removed:
        info = zeroconf.get_service_info(service_type, name, 3000)
        if info is None:
            event["kind"] = "unresolved"
        else:
            event |= {
                "address": ".".join(str(byte) for byte in info.addresses[0]),
                "addresses": len(info.addresses),
                "port": info.port,
                "host": info.server,
                "txt": {key.decode(): (value or b"").decode() for key, value in info.properties.items()},
            }
    print(json.dumps(event), flush=True)


def main() -> None:
    zeroconf = Zeroconf(interfaces=[sys.argv[1]], ip_version=IPVersion.V4Only)
    ServiceBrowser(zeroconf, KIND, handlers=[changed])
    print("browsing", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
