#!/usr/bin/env bash
# The unit tests, then the integration tests against the debug build.
set -euo pipefail

# The Python environment comes over the network while the compiler works.
Tests/Support/venv.sh &
venv=$!
scripts/swift.sh build --build-tests
wait $venv
log=.build/unit-tests.log
status=0
# One after the other: tests of real sockets and clocks share two cores with whole-CPU ones otherwise.
# Every line goes to the log; shown are the suites, whatever fails and the closing line.
scripts/swift.sh test --skip-build --disable-xctest --no-parallel 2>&1 | tee "$log" |
  grep --line-buffered -vaE '^(◇|✔ Test ("|case|[a-z]+\())' || status=$?
# A filter or a broken discovery that runs nothing would exit 0: insist on a real count.
if [ $status -ne 0 ] || ! grep -qaE 'Test run with [1-9][0-9]{2,} tests .* passed' "$log"; then
  # Once more at the end, where it is found.
  grep -aE '^(✘|.*(Fatal error|Crash|signal))' "$log" >&2 || true
  echo "The unit tests failed or did not run: see $log" >&2
  exit 1
fi
# Twelve rigs share the machine, and mostly wait: a report may be a second later than the strict clouds think.
PRINTER_UPLINK=.build/debug/printer-uplink TEST_PATIENCE=2 \
  .build/venv/bin/python -m pytest Tests/Integration -m 'not soak' -n 12 --dist worksteal -q
