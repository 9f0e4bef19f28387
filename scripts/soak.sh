#!/usr/bin/env bash
# Sanitizers over the unit tests and over the daemon in its integration tests, fuzzing, long runs.
# `scripts/soak.sh [thread|address|fuzz|long|cura|packages]...`: some parts only; all of them without arguments.
set -euo pipefail

swift=scripts/swift.sh
python=.build/venv/bin/python
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(thread address fuzz long cura packages)
fuzz_seconds=${FUZZ_SECONDS:-300}

# The daemon's own reports go to files, since its standard error is read by the tests.
sanitized() {
  local kind=$1 scratch=.build/$1 reports=.build/$1-reports
  rm -rf "$reports" && mkdir -p "$reports"
  echo "== $kind sanitizer: unit tests"
  $swift build --build-tests --sanitize="$kind" --scratch-path "$scratch"
  # A small quarantine, or what was freed counts as growth in the tests that watch memory.
  UPLINK_SEEDS=2000 ASAN_OPTIONS=quarantine_size_mb=1 LSAN_OPTIONS=suppressions=scripts/leaks.supp \
    $swift test --skip-build --sanitize="$kind" --scratch-path "$scratch" --disable-xctest --no-parallel
  echo "== $kind sanitizer: the daemon in its integration tests"
  # (The sanitizer itself opens a file, so the test that watches `validate` for that is left out.)
  local options="log_path=$PWD/$reports/report:detect_leaks=0"
  PRINTER_UPLINK=$scratch/debug/printer-uplink TSAN_OPTIONS=$options ASAN_OPTIONS=$options \
    TEST_PATIENCE=3 SWIFT_BACKTRACE=enable=no $python -m pytest Tests/Integration -m 'not soak' -n 6 -q \
    -k 'not test_no_call_touches_the_network'
  if [ -n "$(ls -A "$reports")" ]; then
    head -60 "$reports"/*
    echo "The $kind sanitizer found something: $reports" >&2
    return 1
  fi
}

fuzzed() {
  local name=$1 corpus
  corpus=$(tr '[:upper:]' '[:lower:]' <<<"$name")
  echo "== fuzzing $name for $fuzz_seconds s"
  UPLINK_FUZZ=1 SWIFT_BACKTRACE=enable=no \
    $swift build -c release --sanitize=fuzzer --scratch-path .build/fuzz --product "${name}Fuzz"
  mkdir -p ".build/fuzz-corpus/$corpus"
  timeout -k 5 $((fuzz_seconds + 60)) ".build/fuzz/release/${name}Fuzz" \
    -max_total_time="$fuzz_seconds" -max_len=65536 -verbosity=0 -print_final_stats=1 \
    ".build/fuzz-corpus/$corpus" "Fuzz/corpus/$corpus"
}

for part in "${parts[@]}"; do
  case $part in
    thread | address) sanitized "$part" ;;
    fuzz) for name in JSON YAML EngineIO SocketIO; do fuzzed "$name"; done ;;
    long)
      echo '== the long runs'
      PRINTER_UPLINK=.build/release/printer-uplink \
        $python -m pytest Tests/Integration -m soak -q -o timeout=3600
      ;;
    cura)
      echo '== the real Cura on a virtual screen'
      scripts/packages.sh cura
      for what in own stock; do
        $python scripts/real_cura.py "$what" --binary .build/release/printer-uplink
      done
      ;;
    packages)
      echo '== the packages, in booted roots'
      scripts/packages.sh roots
      PRINTER_UPLINK=.build/release/printer-uplink $python -m pytest Tests/Packaging -q
      ;;
    *) echo "unknown part: $part" >&2; exit 2 ;;
  esac
done
echo 'soak: clean'
