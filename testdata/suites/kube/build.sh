#!/usr/bin/env bash
# Builds the tests of Kubernetes' storage layer, with the server that testserver/ starts: build.sh OUTPUT
set -euo pipefail
output=$(realpath -m "$1")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
go mod download k8s.io/apiserver
# go doesn't overlay files of its module cache: the module is seen through a link.
ln -s "$(go list -m -f '{{.Dir}}' k8s.io/apiserver)" "$work/apiserver"
cp go.mod go.sum "$work"
go mod edit -replace "k8s.io/apiserver=$work/apiserver" "$work/go.mod"
printf '{"Replace": {"%s": "%s"}}\n' \
	"$work/apiserver/pkg/storage/etcd3/testserver/test_server.go" "$PWD/testserver/testserver.go" >"$work/overlay.json"
go test -c -modfile "$work/go.mod" -overlay "$work/overlay.json" -o "$output" k8s.io/apiserver/pkg/storage/etcd3
