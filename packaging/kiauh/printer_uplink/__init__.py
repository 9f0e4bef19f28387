"""printer-uplink in KIAUH's extension menu."""

from pathlib import Path

PRINTER_UPLINK_DIR = Path.home() / "printer-uplink"
PRINTER_UPLINK_INSTALLER = "https://github.com/printer-uplink/printer-uplink/releases/latest/download/install.sh"
