#!/usr/bin/env bash
# Installs the Debian packages that are missing, and nothing else: `scripts/packages.sh build`
# for building and running, `scripts/packages.sh test` for the tests too. Touches no network when
# nothing is missing.
set -euo pipefail

# What the Swift toolchain itself links against, then our C libraries with their headers.
build=(
  binutils git libc6-dev libcurl4 libedit2 libgcc-12-dev libncurses6 libpython3.11 libsqlite3-0
  libstdc++-12-dev libxml2 libz3-4 tzdata zlib1g-dev ca-certificates
  libavahi-client-dev libcurl4-openssl-dev libexpat1-dev libmicrohttpd-dev libsqlite3-dev libssl-dev
  libturbojpeg0-dev libwslay-dev libyaml-dev
)
# The demonstration: real Moonraker and the demo clouds, in a Python environment of their own, and a real PHP hub.
demo=(python3 python3-venv libsodium23 libjpeg62-turbo libopenjp2-7 php-cli php-sqlite3)
# The tests look at system calls, break the disk by a library of their own, and make certificates and network namespaces
# with Avahi and nginx in them. Those two are servers that systemd would start at once: on such a machine they are left to
# its owner, and their tests are skipped.
test=(gcc openssl strace iproute2 procps util-linux libavahi-client3 curl shellcheck zsh fish man-db)
[ -d /run/systemd/system ] || test+=(avahi-daemon dbus nginx-light)

# The real Cura, which some long runs drive on a virtual screen.
cura=(cura python3-zeroconf xvfb xdotool imagemagick)
# Making packages; the tests of them boot Debian roots of their own.
package=(dpkg-dev python3)
roots=(debootstrap systemd-container)

case "${1:-}" in
  build) wanted=("${build[@]}") ;;
  run) wanted=("${build[@]}" "${demo[@]}") ;;
  test) wanted=("${build[@]}" "${demo[@]}" "${test[@]}") ;;
  cura) wanted=("${build[@]}" "${demo[@]}" "${test[@]}" "${cura[@]}") ;;
  package) wanted=("${build[@]}" "${package[@]}") ;;
  roots) wanted=("${build[@]}" "${demo[@]}" "${package[@]}" "${test[@]}" "${roots[@]}") ;;
  link-order) wanted=("${build[@]}" "${demo[@]}" "${test[@]}" valgrind) ;;
  *) echo "usage: $0 build|run|test|cura|package|roots|link-order" >&2; exit 2 ;;
esac

# Of Debian's prometheus promtool alone: the package would start a server, and brings a good deal of web pages.
fetch_promtool() {
  local tools=.build/tools
  if command -v promtool >/dev/null || [ -x "$tools/promtool" ]; then return; fi
  echo 'Fetching promtool from the Debian package prometheus, which is not installed'
  mkdir -p "$tools"
  (
    cd "$tools" && rm -f prometheus_*.deb && apt-get download -qq prometheus &&
      dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool &&
      rm prometheus_*.deb
  ) || echo 'promtool could not be fetched: its test is skipped' >&2
}

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  [ "$1" != test ] || fetch_promtool
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These Debian packages are missing: ${missing[*]}" >&2
    echo "Install them as root (apt-get install ${missing[*]}), then run this again." >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
[ "$1" != test ] || fetch_promtool
