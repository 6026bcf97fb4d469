#!/usr/bin/env bash
# Makes the archives of testdata/ again, with the real etcds that `make etcd` builds:
#
#   testdata/make.sh OUT [NAME…]
#
# writes OUT/NAME.tar.zst and OUT/golden/NAME.tar.zst for the named archives, or for all. What it
# makes has the shape of what lies here, not its bytes: IDs, times and random values differ.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:?usage: make.sh OUT [NAME…]}"
out=$(cd "$1" && pwd); shift
work=$(mktemp -d)
pids=()
trap 'kill -9 "${pids[@]}" 2>/dev/null; rm -rf "$work"' EXIT
base=$((21000 + RANDOM % 8000))

bin() { echo "$root/build/etcd-$1/$2"; }
client() { echo "http://127.0.0.1:$((base + $1))"; }
peer() { echo "http://127.0.0.1:$((base + 100 + $1))"; }

# launch VERSION NUMBER DIR [FLAG…]: starts member NUMBER.
launch() {
  local version=$1 n=$2 dir=$3; shift 3
  "$(bin "$version" etcd)" --name "m$n" --data-dir "$dir" --snapshot-count "${snapshots:-100}" \
    --listen-client-urls "$(client "$n")" --advertise-client-urls "$(client "$n")" \
    --listen-peer-urls "$(peer "$n")" --initial-advertise-peer-urls "$(peer "$n")" \
    --max-snapshots 50 --max-wals 0 "$@" >"$dir.log" 2>&1 &
  pids[n]=$!
}

# await VERSION NUMBER DIR: waits until the member serves.
await() {
  for _ in $(seq 300); do
    ctl "$1" "$2" --command-timeout 1s get x >/dev/null 2>&1 && return
    kill -0 "${pids[$2]}" 2>/dev/null || { tail -5 "$3.log" >&2; return 1; }
    sleep 0.1
  done
  echo "etcd $1 in $3 doesn't serve" >&2
  return 1
}

start() { launch "$@" && await "$@"; }

stop() { kill -"${2:-TERM}" "${pids[$1]}"; wait "${pids[$1]}" 2>/dev/null || true; unset "pids[$1]"; }

# ctl VERSION NUMBER ARG…
ctl() {
  local v=$1 n=$2 api=; shift 2
  [ "$v" = 3.4 ] && api=ETCDCTL_API=3
  env $api "$(bin "$v" etcdctl)" --endpoints "$(client "$n")" "$@"
}

# pack NAME DIR: the archive of a folder.
pack() {
  find "$2" -name '*.log' -maxdepth 1 -delete
  tar -C "$(dirname "$2")" --sort=name --owner=0 --group=0 -cSf - "$(basename "$2")" |
    zstd -q -f -19 --long=27 -T0 -o "$out/$1.tar.zst"
  echo "$out/$1.tar.zst"
}

# golden NAME DIR [MEMBER]: what etcd's dump tool says of a data directory. Its reader may refuse,
# and it cleans up in what it reads: it gets a copy.
golden() {
  local g=$work/golden/$1 log=$1${3:+-$3}
  mkdir -p "$g"
  cp -r --sparse=always "$2" "$work/dumped"
  "$root/build/bin/etcd-dump-logs" -raw "$work/dumped" >"$g/$log.raw.txt" 2>&1 || true
  "$root/build/bin/etcd-dump-logs" -start-index 0 "$work/dumped" >"$g/$log.idx0.txt" 2>&1 || true
  rm -r "$work/dumped"
}

pack_golden() {
  mkdir -p "$out/golden"
  tar -C "$work/golden/$1" --sort=name --owner=0 --group=0 --mtime=@0 -cf - . |
    zstd -q -f -19 --long=27 -o "$out/golden/$1.tar.zst"
}

# write VERSION NUMBER FROM TO: puts of all kinds, and some deletes.
write() {
  local i
  for i in $(seq "$3" "$4"); do
    case $((i % 10)) in
      0) ctl "$1" "$2" del "key/$((i - 7))" ;;
      1) ctl "$1" "$2" put "key/ünï/$i" "wert äöü ☃ $i" ;;
      2) head -c 200 /dev/urandom | ctl "$1" "$2" put "bin/$i" ;;
      3) ctl "$1" "$2" put "empty/$i" "" ;;
      *) ctl "$1" "$2" put "key/$i" "value of $i" ;;
    esac >/dev/null
  done
}

# mixed VERSION NUMBER: every other kind of request.
mixed() {
  local lease
  c() { ctl "$v" "$n" "$@" >/dev/null; }
  local v=$1 n=$2
  head -c 100000 /dev/urandom | c put big/100k
  head -c 900000 /dev/urandom | c put big/900k
  printf 'ver("txn/a") = "0"\n\nput txn/a 1\nput txn/b 2\n\nget txn/a\n\n' | c txn
  printf 'value("txn/a") = "1"\n\ndel txn/b\n\nput txn/a 3\n\n' | c txn
  c del --prefix bin/; c del --from-key zzz; c del a b; c del missing
  lease=$(ctl "$v" "$n" lease grant 600 | cut -d' ' -f2)
  c put leased/1 x --lease "$lease"; c lease keep-alive --once "$lease"; c lease revoke "$lease"
  c lease grant 1
  c lock mutex true; timeout 2 "$(bin "$v" etcdctl)" --endpoints "$(client "$n")" elect boss me >/dev/null 2>&1 || true
  c compact "$(ctl "$v" "$n" get x -w json | sed 's/.*"revision":\([0-9]*\).*/\1/')"
  c defrag
}

auth() {
  c() { ctl "$v" "$n" "$@" >/dev/null; }
  local v=$1 n=$2
  c user add root:rootpw; c user add alice:secret; c role add reader
  c role grant-permission reader --prefix=true read key/; c user grant-role alice reader
  c user passwd alice --interactive=false <<<"newsecret"; c user grant-role root root
  c auth enable; ctl "$v" "$n" --user root:rootpw put by/root 1 >/dev/null
  ctl "$v" "$n" --user root:rootpw auth disable >/dev/null
}

# clean VERSION NAME: three members, changes of membership, a follower that needs a snapshot.
clean() {
  local v=$1 d=$work/$2/3m-clean i id initial
  mkdir -p "$d"
  initial="m1=$(peer 1),m2=$(peer 2),m3=$(peer 3)"
  for i in 1 2 3; do
    launch "$v" "$i" "$d/m$i" --initial-cluster "$initial" --initial-cluster-token "$2"
  done
  for i in 1 2 3; do await "$v" "$i" "$d/m$i"; done
  write "$v" 1 1 150; mixed "$v" 1
  id=$(ctl "$v" 1 member add m4 --learner --peer-urls "$(peer 4)" | sed -n 's/^Member *\([0-9a-f]*\) added.*/\1/p')
  launch "$v" 4 "$d/m4" --initial-cluster "$initial,m4=$(peer 4)" --initial-cluster-state existing
  until ctl "$v" 1 member promote "$id" >/dev/null 2>&1; do sleep 0.2; done
  stop 3; write "$v" 1 301 700
  start "$v" 3 "$d/m3"; write "$v" 2 701 750
  auth "$v" 1
  for i in 1 2 3 4; do stop "$i"; done
  finish "$2" "$d" m1 m2 m3 m4
}

# single VERSION NAME FLAG…: one member, stopped cleanly.
single() {
  local v=$1 name=$2 d=$work/$2/${2#*-}; shift 2
  mkdir -p "$(dirname "$d")"
  start "$v" 1 "$d" --initial-cluster "m1=$(peer 1)" "$@"
  write "$v" 1 1 60; mixed "$v" 1; auth "$v" 1
  stop 1
  finish "$name" "$d"
}

# chain: one directory, started by each version in turn.
chain() {
  local v d=$work/chain/1n
  mkdir -p "$(dirname "$d")"
  for v in 3.4 3.5 3.6 3.7; do
    start "$v" 1 "$d" --initial-cluster "m1=$(peer 1)"
    write "$v" 1 1 60; sleep 1
    stop 1
    cp -r "$d" "$work/chain/after${v/./}"
    finish "chain-1n-after${v/./}" "$work/chain/after${v/./}"
  done
}

# killed VERSION NAME: killed with -9 under writing clients.
killed() {
  local v=$1 d=$work/$2/kill9 i writers=()
  mkdir -p "$(dirname "$d")"
  start "$v" 1 "$d" --initial-cluster "m1=$(peer 1)"
  for i in $(seq 8); do
    write "$v" 1 "$((i * 1000))" "$((i * 1000 + 999))" 2>/dev/null &
    writers+=($!)
  done
  sleep 5
  stop 1 KILL
  kill "${writers[@]}" 2>/dev/null || true
  wait "${writers[@]}" 2>/dev/null || true
  finish "$2" "$d"
}

# restored VERSION NAME: a snapshot, restored for one member.
restored() {
  local v=$1 d=$work/$2
  mkdir -p "$d"
  start "$v" 1 "$d/source" --initial-cluster "m1=$(peer 1)"
  write "$v" 1 1 60
  ctl "$v" 1 snapshot save "$d/snapshot.db" >/dev/null 2>&1
  stop 1
  "$(bin "$v" etcdutl)" snapshot restore "$d/snapshot.db" --data-dir "$d/restored" --name m1 \
    --initial-cluster "m1=$(peer 1)" --initial-advertise-peer-urls "$(peer 1)" >/dev/null 2>&1
  finish "$2" "$d/restored"
}

# finish NAME DIR [MEMBER…]: the archive and its golden files.
finish() {
  local name=$1 d=$2 m; shift 2
  if [ $# -eq 0 ]; then golden "$name" "$d"; fi
  for m in "$@"; do golden "$name" "$d/$m" "$m"; done
  pack "$name" "$d"; pack_golden "$name"
}

make_one() {
  case $1 in
    c3?-3m-clean) clean "3.${1:2:1}" "$1" ;;
    c3?-1n-clean) single "3.${1:2:1}" "$1" ;;
    c3?-leasecp-1n-clean) single "3.${1:2:1}" "$1" --experimental-enable-lease-checkpoint ;;
    c3?-quota-1n-clean) single "3.${1:2:1}" "$1" --quota-backend-bytes 2200000 ;;
    c3?-*kill9) killed "3.${1:2:1}" "$1" ;;
    c3?-restored*) restored "3.${1:2:1}" "$1" ;;
    chain*) chain ;;
    *) echo "don't know how to make $1" >&2; return 1 ;;
  esac
}

make -C "$root" etcd build/bin/etcd-dump-logs >/dev/null
for name in "${@:-c35-3m-clean}"; do make_one "$name"; done
