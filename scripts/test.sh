#!/usr/bin/env bash
# The unit tests, then the integration tests against the debug build.
set -euo pipefail

scripts/swift.sh build --build-tests
log=.build/unit-tests.log
scripts/swift.sh test --skip-build --disable-xctest --no-parallel 2>&1 | tee "$log"
# One after the other: tests of real sockets and clocks share two cores with whole-CPU ones otherwise.
# A filter or a broken discovery that runs nothing would exit 0: insist on a real count.
if ! grep -qE 'Test run with [1-9][0-9]{2,} tests .* passed' "$log"; then
  echo "The unit tests did not run: see $log" >&2
  exit 1
fi
PRINTER_UPLINK=.build/debug/printer-uplink \
  .build/venv/bin/python -m pytest Tests/Integration -m 'not soak' -n 8 -q
