"""Install, update and remove printer-uplink: each is a call of its own scripts, which ask what they need."""

from __future__ import annotations

from pathlib import Path
from subprocess import CalledProcessError, run
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from core.logger import Logger
from extensions.base_extension import BaseExtension
from extensions.printer_uplink import PRINTER_UPLINK_DIR, PRINTER_UPLINK_INSTALLER


class PrinterUplinkExtension(BaseExtension):
    """The three entries of the menu."""

    def install_extension(self, **kwargs: object) -> None:
        Logger.print_status("Installing printer-uplink ...")
        installed = PRINTER_UPLINK_DIR / "install.sh"
        if installed.exists():
            self._call([str(installed)], "installed")
            return
        try:
            with TemporaryDirectory() as folder, urlopen(PRINTER_UPLINK_INSTALLER, timeout=60) as answer:
                script = Path(folder) / "install.sh"
                script.write_bytes(answer.read())
                # As if it came through a pipe: it then fetches the release that belongs to it.
                self._call(["bash", str(script)], "installed")
        except (URLError, OSError) as error:
            Logger.print_error(f"{PRINTER_UPLINK_INSTALLER}: {error}")

    def update_extension(self, **kwargs: object) -> None:
        Logger.print_status("Updating printer-uplink ...")
        self._call_own("update.sh", "up to date")

    def remove_extension(self, **kwargs: object) -> None:
        Logger.print_status("Removing printer-uplink ...")
        self._call_own("uninstall.sh", "removed")

    def _call_own(self, script: str, done: str) -> None:
        path = PRINTER_UPLINK_DIR / script
        if not path.exists():
            Logger.print_info("printer-uplink is not installed.")
            return
        self._call([str(path)], done)

    def _call(self, command: list[str], done: str) -> None:
        try:
            run(command, check=True)
        except CalledProcessError as error:
            Logger.print_error(f"{command[-1]} ended with {error.returncode}; see what it says above.")
        else:
            Logger.print_ok(f"printer-uplink is {done}.")
