#!/usr/bin/env bash
# Makes the Python environment of the test ground, .build/venv: the real Moonraker, the libraries of
# the test clouds, pytest and ruff. A second run changes nothing and touches no network.
#
# Debian packages that it stands on (scripts/packages.sh installs them): python3-venv, and
# libsodium23, which Moonraker loads at its start. One package, streaming-form-data, has no wheel for
# arm64: there it also takes gcc and python3-dev.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv="$root/.build/venv"
python=${PYTHON:-/usr/bin/python3}
stamp="$venv/.requirements"
wanted=$(sha256sum "$here/requirements.txt" | cut -d' ' -f1)

# A virtual environment knows its own path: a moved or copied checkout makes it anew.
if [ "$("$venv/bin/python" -c 'import sys; print(sys.prefix)' 2>/dev/null || true)" = "$venv" ] &&
  [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
  exit 0
fi

if [ "$(dpkg --print-architecture)" = arm64 ]; then
  for tool in gcc python3-config; do
    command -v "$tool" >/dev/null || {
      echo "venv.sh: $tool is missing. Run: sudo apt-get install gcc python3-dev" >&2
      exit 1
    }
  done
fi
echo "Making the Python environment .build/venv (Moonraker and the test clouds)"
rm -rf "$venv"
mkdir -p "$root/.build"
"$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --prefer-binary --no-deps \
  --requirement "$here/requirements.txt"
"$venv/bin/python" -m pip check --disable-pip-version-check >/dev/null
echo "$wanted" >"$stamp"
