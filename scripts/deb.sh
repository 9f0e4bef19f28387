#!/usr/bin/env bash
# Packs a built program as a Debian package: `scripts/deb.sh [BINARY] [FOLDER]` writes
# FOLDER/printer-uplink_VERSION_ARCHITECTURE.deb (default: .build/release/printer-uplink, .build/packages).
# VERSION, where set, is the package's version instead of the program's own.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${1:-.build/release/printer-uplink}
folder=${2:-.build/packages}
[ -x "$binary" ] || { echo "$binary is missing: run make build" >&2; exit 1; }
version=${VERSION:-$("$binary" version | cut -d' ' -f2)}
architecture=$(dpkg --print-architecture)
# The same input gives the same package: one time for all of it.
moment=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 315532800)}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 0755 "$tree"

put() { install -D -m "$1" "$2" "$tree$3"; }
put 0755 "$binary" /usr/bin/printer-uplink
put 0644 config/systemd/printer-uplink.service /usr/lib/systemd/system/printer-uplink.service
put 0644 config/systemd/printer-uplink@.service /usr/lib/systemd/system/printer-uplink@.service
put 0644 config/systemd/sysusers.conf /usr/lib/sysusers.d/printer-uplink.conf
put 0640 packaging/debian/printer-uplink.yaml /etc/printer-uplink/printer-uplink.yaml
doc=/usr/share/doc/printer-uplink
put 0644 packaging/debian/copyright $doc/copyright
# Side by side with its pages there.
sed -E -e 's|]\(docs/|](|g' -e 's|]\((CONTRIBUTING.md\|LICENSE)\)|](https://github.com/printer-uplink/printer-uplink/blob/main/\1)|' README.md |
  install -D -m 0644 /dev/stdin "$tree$doc/README.md"
put 0644 CHANGELOG.md $doc/CHANGELOG.md
printf 'printer-uplink (%s) stable; urgency=medium\n\n  * See CHANGELOG.md beside this file.\n\n -- %s  %s\n' "${version/-/\~}" \
  "$(sed -n 's/^Maintainer: //p' packaging/debian/control.in)" "$(LC_ALL=C date -u -R -d "@$moment")" |
  gzip -9n | install -D -m 0644 /dev/stdin "$tree$doc/changelog.gz"
put 0644 config/printer-uplink.yaml $doc/printer-uplink.yaml
put 0644 config/printer-uplink.schema.json $doc/printer-uplink.schema.json
for file in config/examples/*.yaml config/systemd/port-80.conf config/nginx/*.conf; do
  put 0644 "$file" "$doc/examples/$(basename "$file")"
done
put 0644 config/grafana/printer-uplink.json $doc/examples/grafana.json
for page in docs/*.md docs/connectors/*.md docs/decisions/*.md; do put 0644 "$page" "$doc/${page#docs/}"; done
# The manual page and the completions come from the program's own declarations.
"$binary" completions man | gzip -9n | install -D -m 0644 /dev/stdin "$tree/usr/share/man/man1/printer-uplink.1.gz"
"$binary" completions bash | install -D -m 0644 /dev/stdin "$tree/usr/share/bash-completion/completions/printer-uplink"
"$binary" completions zsh | install -D -m 0644 /dev/stdin "$tree/usr/share/zsh/vendor-completions/_printer-uplink"
"$binary" completions fish | install -D -m 0644 /dev/stdin "$tree/usr/share/fish/vendor_completions.d/printer-uplink.fish"
put 0644 packaging/debian/lintian-overrides /usr/share/lintian/overrides/printer-uplink

# What it links, with the oldest versions that have what it uses: dpkg-shlibdeps reads both off the binary.
work=$(mktemp -d)
trap 'rm -rf "$tree" "$work"' EXIT
mkdir "$work/debian"
printf 'Source: printer-uplink\n\nPackage: printer-uplink\nArchitecture: any\n' >"$work/debian/control"
program=$tree/usr/bin/printer-uplink
libraries=$(cd "$work" && dpkg-shlibdeps -O -e"$program" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
[ -n "$libraries" ] || { echo 'dpkg-shlibdeps found nothing: is dpkg-dev there?' >&2; exit 1; }
# Ubuntu calls it otherwise.
libraries=$(sed -E 's/libturbojpeg0( \([^)]*\))?/& | libturbojpeg\1/' <<<"$libraries")

mkdir "$tree/DEBIAN"
for file in config preinst postinst prerm postrm; do install -m 0755 "packaging/debian/$file" "$tree/DEBIAN/$file"; done
for file in conffiles templates; do install -m 0644 "packaging/debian/$file" "$tree/DEBIAN/$file"; done
# 1.2.3-rc1 comes before 1.2.3: dpkg says that with a tilde.
sed -e "s/@VERSION@/${version/-/\~}/" -e "s/@ARCHITECTURE@/$architecture/" \
  -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$tree" | cut -f1)/" -e "s/@LIBRARIES@/$libraries/" \
  packaging/debian/control.in >"$tree/DEBIAN/control"
(cd "$tree" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
mkdir -p "$folder"
SOURCE_DATE_EPOCH=$moment dpkg-deb --root-owner-group -Zxz --build "$tree" "$folder/printer-uplink_${version}_$architecture.deb"
