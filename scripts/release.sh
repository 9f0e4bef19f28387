#!/usr/bin/env bash
# Makes what a release consists of, in .build/packages: the archive for home folders and Moonraker's update manager,
# install.sh, the Debian package, and SHA256SUMS over all of them.
# `scripts/release.sh [BINARY] [FOLDER]`. VERSION, where set, is the release's instead of the program's own.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${1:-.build/release/printer-uplink}
folder=${2:-.build/packages}
[ -x "$binary" ] || { echo "$binary is missing: run make build" >&2; exit 1; }
# shellcheck source=packaging/release.env
. packaging/release.env
if [ -n "${GITHUB_REPOSITORY:-}" ]; then
  PROJECT_OWNER=${GITHUB_REPOSITORY%%/*}
  PROJECT_NAME=${GITHUB_REPOSITORY#*/}
fi
own=$("$binary" version | cut -d' ' -f2)
version=${VERSION:-$own}
# A tag that the program does not know of would offer an update for ever.
if [ "${GITHUB_REF_TYPE:-}" = tag ] && [ "$GITHUB_REF_NAME" != "v$own" ]; then
  echo "The tag is $GITHUB_REF_NAME, the program says $own (Sources/ConnectorKit/Product.swift): let them agree." >&2
  exit 1
fi
architecture=$(dpkg --print-architecture)
archive=printer-uplink-linux-$architecture.zip
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
rm -rf "$folder"
mkdir -p "$folder"

put() { install -D -m "$1" "$2" "$tree/$3"; }
put 0755 "$binary" printer-uplink
for script in install update uninstall keep-running; do put 0755 "packaging/host/$script.sh" "$script.sh"; done
sed -i "s|@REPOSITORY@|$PROJECT_OWNER/$PROJECT_NAME|" "$tree/install.sh"
for file in packaging/host/lib/*.sh; do put 0644 "$file" "lib/$(basename "$file")"; done
put 0644 packaging/host/system-dependencies.json system-dependencies.json
for file in $(cd config && find . -type f -printf '%P\n' | sort); do put 0644 "config/$file" "config/$file"; done
for file in packaging/kiauh/printer_uplink/*; do
  [ ! -f "$file" ] || put 0644 "$file" "kiauh/printer_uplink/$(basename "$file")"
done
sed -i "s|printer-uplink/printer-uplink|$PROJECT_OWNER/$PROJECT_NAME|" "$tree"/kiauh/printer_uplink/{__init__.py,metadata.json}
for file in README.md CHANGELOG.md LICENSE docs/*.md docs/connectors/*.md docs/decisions/*.md; do put 0644 "$file" "$file"; done
# The manual page and the completions come from the program's own declarations; install.sh links to them.
mkdir "$tree/completions"
"$binary" completions man >"$tree/completions/printer-uplink.1"
"$binary" completions bash >"$tree/completions/printer-uplink.bash"
"$binary" completions zsh >"$tree/completions/_printer-uplink"
"$binary" completions fish >"$tree/completions/printer-uplink.fish"
chmod 0644 "$tree"/completions/*
# Moonraker compares the version with the release's name, and asks for the tag of that name to roll back.
cat >"$tree/release_info.json" <<TEXT
{
  "project_name": "$PROJECT_NAME",
  "project_owner": "$PROJECT_OWNER",
  "version": "v$version",
  "asset_name": "$archive"
}
TEXT
# The same input gives the same archive: sorted names, one time for all.
python3 - "$tree" "$folder/$archive" "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 315532800)}" <<'PYTHON'
import pathlib, sys, time, zipfile
tree, target, moment = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        entry = zipfile.ZipInfo(str(path.relative_to(tree)), time.gmtime(moment)[:6])
        entry.external_attr = (0o100000 | (path.stat().st_mode & 0o777)) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, path.read_bytes())
PYTHON
cp "$tree/install.sh" "$folder/"
VERSION=$version scripts/deb.sh "$binary" "$folder" >/dev/null
(cd "$folder" && sha256sum -- *.zip *.deb install.sh >SHA256SUMS)
ls -l "$folder"
