#!/usr/bin/env bash
# Brings back a member whose files are damaged, in a way that nobody knows, and starts it:
# recover.sh RAFTCTL DIR [DONOR…] -- ETCD [FLAG…]
#
# What it does depends on exit statuses alone. It ends as the etcd that runs on DIR; or with what would be lost on
# standard output, DIR as it was, and status 5; or with another status where something else is wrong, which is told.
# Donors are the files of other members. The log that was there is kept: raftctl undo DIR puts it back.
set -euo pipefail

raftctl=$1 dir=$2
shift 2
from=()
while [ "$1" != -- ]; do
  from+=(--from "$1")
  shift
done
shift

# 1. What can be done? The plan goes to a file, so that exactly what was shown is done.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
"$raftctl" wal repair "$dir" ${from[@]+"${from[@]}"} --plan "$scratch/plan.json" || status=$?

# 2. Do it, where there is something to do and nothing is lost by it.
repaired=
case $status in
0) ;;
1)
  "$raftctl" wal repair --apply "$scratch/plan.json" --in-place --yes
  repaired=yes
  ;;
*) exit "$status" ;;
esac

# 3. Is all well now? Status 3 says that something could not be checked, such as what isn't there.
status=0
"$raftctl" doctor "$dir" || status=$?
case $status in
0 | 3) ;;
*)
  [ -z "$repaired" ] || "$raftctl" undo "$dir" --yes
  exit "$status"
  ;;
esac

# 4. Start it.
rm -rf "$scratch"
exec "$@"
