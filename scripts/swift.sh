#!/usr/bin/env bash
# Runs `swift` with the arguments given; where it is missing, says how to get it.
# `scripts/swift.sh where` only says where it is, before anything is installed for it.
set -euo pipefail

if ! command -v swift >/dev/null; then
  for folder in /opt/swift/usr/bin "$HOME/.local/share/swiftly/bin" /usr/local/swift/usr/bin; do
    if [ -x "$folder/swift" ]; then
      PATH="$folder:$PATH"
      break
    fi
  done
fi
if ! command -v swift >/dev/null; then
  cat >&2 <<'TEXT'
The Swift toolchain (6.3 or newer) is missing. Get it from https://www.swift.org/install/linux/
(Debian 12; x86_64 or aarch64): with swiftly, or by unpacking the archive so that
/opt/swift/usr/bin/swift exists. Then run the same command again.
TEXT
  exit 1
fi
[ "${1:-}" != where ] || { command -v swift; exit; }
case " $* " in
  " build "* | " test "*)
    # A debug build is for tests: without debug information it takes less time. Sanitizers name lines.
    case " $* " in
      *" release "* | *" --sanitize"*) ;;
      *) set -- "$1" -debug-info-format none "${@:2}" ;;
    esac
    ;;
esac
exec swift "$@"
