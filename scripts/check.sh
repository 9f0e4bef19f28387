#!/usr/bin/env bash
# Formatting, lint, the rules of the house, generated files up to date.
set -euo pipefail
shopt -s inherit_errexit

scripts/swift.sh format lint --strict --recursive Sources Plugins-Builtin Tests Fuzz Package.swift
.build/venv/bin/ruff check Tests Benchmarks packaging scripts
.build/venv/bin/ruff format --check Tests Benchmarks packaging scripts
shellcheck --external-sources scripts/*.sh Tests/Support/*.sh .ci/run packaging/host/*.sh packaging/host/lib/*.sh \
  packaging/debian/{config,preinst,postinst,prerm,postrm}

fail() { echo "$1" >&2; exit 1; }
ships=(Sources Plugins-Builtin)

if grep -rnE '^((internal|package|public|private) )?import Foundation(Networking)?$' "${ships[@]}"; then
  fail 'What ships never imports Foundation (58 MB of binary).'
fi
if grep -rnE 'import (CAvahi|CCurl|CWslay|CYAML|CMicroHTTPD|CCrypto|CExpat|CZlib)$' Plugins-Builtin Sources/Connector* Sources/Moonraker; then
  fail 'C libraries are reached through their wrapper only.'
fi
if grep -rnE '\btry!|\bas!' "${ships[@]}" --include='*.swift'; then
  fail 'A trap ends every cloud: no try! and no as! in what ships.'
fi
for plugin in Plugins-Builtin/*/; do
  name=$(basename "$plugin")
  [ "$name" = BuiltinConnectors ] && continue
  others=$(basename -a Plugins-Builtin/*/ | grep -vE "^($name|BuiltinConnectors)$" | paste -sd'|')
  if grep -rnE "import (ConnectorHost|Moonraker|YAML|$others)$" "$plugin"; then
    fail "$name knows ConnectorKit and the wrappers, never the host nor another connector."
  fi
  # Its requests and answers are plain values; a server is the host's to start.
  if grep -rnE 'HTTPServer\((address|socketPath):' "$plugin"; then
    fail "$name listens by its context's listener only."
  fi
done

scripts/swift.sh build --build-tests --quiet
scripts/swift.sh test --skip-build --disable-xctest --filter GeneratedFiles 2>&1 | tee .build/generated.log
grep -qE 'Test run with [1-9][0-9]* tests? .* passed' .build/generated.log ||
  fail 'The generated files were not checked.'
echo 'check: clean'
