#!/usr/bin/env bash
# Builds etcd's robustness suite for members that have no failpoints of their own: robustness.sh OUTPUT
set -euo pipefail
output=$(realpath -m "$1")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
go mod download go.etcd.io/etcd/tests/v3
# go doesn't overlay files of its module cache: the module is seen through a link.
ln -s "$(go list -m -f '{{.Dir}}' go.etcd.io/etcd/tests/v3)" "$work/tests"
cp go.mod go.sum "$work"
go mod edit -replace "go.etcd.io/etcd/tests/v3=$work/tests" "$work/go.mod"
# The suite asks whether a member has failpoints, and skips all if it hasn't. It has, is the answer, and none of those
# that it then asks for: what is left are kills, replaced members, and peers' networks.
file=framework/e2e/etcd_process.go
sed -e '/^func (f \*BinaryFailpoints) Enabled/,/^}/s/return err == nil/return err == nil || true/' \
	-e '/^func (f \*BinaryFailpoints) Available/,/^}/s/panic(err)/return false/' "$work/tests/$file" >"$work/etcd_process.go"
printf '{"Replace": {"%s": "%s"}}\n' "$work/tests/$file" "$work/etcd_process.go" >"$work/overlay.json"
go test -c -modfile "$work/go.mod" -overlay "$work/overlay.json" -o "$output" go.etcd.io/etcd/tests/v3/robustness
