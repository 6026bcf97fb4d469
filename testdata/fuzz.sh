#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time each: fuzz.sh 20s
set -euo pipefail
cd "$(dirname "$0")/.."
for pkg in $(go list ./...); do
  for target in $(go test -list '^Fuzz' "$pkg" | sed -n '/^Fuzz/p'); do
    echo "== $pkg $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "${1:-20s}" -fuzzminimizetime 10x "$pkg"
  done
done
