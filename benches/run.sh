#!/usr/bin/env bash
# Measures a release build and prints one table of ratios and rates; it judges nothing, and load and server share this
# machine's cores.
#
#   benches/run.sh [WORD…]      without a word: all of them
#
#   redirect      128 connections, closed loop, spool alone and whole, times nginx's bare 302
#   cpu           CPU time a click, of the same rounds
#   latency       open loop at 10,000 requests a second, counted from the instant each was due
#   sustained     a minute of closed loop, moved meanwhile: rate, lag, and whether acknowledged and stored agree
#   redis         the spool in a private Redis, its log synced every second and always
#   pixel         pixel and beacon against the redirect
#   mover         benches/mover.rs
#   enrichment    benches/enrichment.rs: channel, bot and device of one touch
#   instructions  instructions a click by callgrind (KEEP_CALLGRIND=FILE keeps what it counted)
#   orders        new orders over 8 connections, each with its click, commission and journal
#   import startup
#   balance       benches/balance.rs: the balance of a partner with 100,000 entries
#   paths         `tributary paths` over a million distinct paths against ChannelAttribution 2.2.5 (fetched from PyPI)
#   recompute     `tributary recompute` over HISTORY_TOUCHES touches, and over half of them
#   payout        close and build over PAYOUT_COMMISSIONS commissions of PAYOUT_PARTNERS partners, and the files of its run
#                 (DOCTOR=1: `doctor` over it too)
#   random        RANDOM_ORDERS random orders taken in, their month closed and paid, `doctor` over all of it
#   reports       reports over HISTORY_TOUCHES touches from roll-ups, over a tenth of them, and by plain SQL over the raw rows
#   generator     the load generator beside wrk; only when asked for
#
# Settings: QUICK=1 (3 rounds of 3 s) ROUNDS=5 SECONDS_PER_ROUND=10 WARM_UP=1 CONNECTIONS=128 RATE=10000
#           VARY=1 (0: every request is the same) DRAIN_LIMIT=300 (seconds until the spool must be empty)
#           SUSTAINED_SECONDS=60 CLICKS=2000 (of instructions) ORDERS=10000 (a round) IMPORT_ROWS=100000 PATH_ROWS=1000000
#           HISTORY_TOUCHES=10000000 HISTORY_ORDERS=300000 PAYOUT_COMMISSIONS=1000000 PAYOUT_PARTNERS=10000
#           RANDOM_ORDERS=1000000
#           TRIBUTARY_BIN=target/release/tributary TMPDIR=/var/tmp (must be the kind of disk you mean to measure)
set -euo pipefail
cd "$(dirname "$0")/.."

WORDS=(redirect cpu sustained latency redis pixel mover enrichment instructions orders import startup balance paths recompute payout random reports)
if [[ ${QUICK:-0} != 0 ]]; then
  : "${ROUNDS:=3}" "${SECONDS_PER_ROUND:=3}" "${SUSTAINED_SECONDS:=15}" "${ORDERS:=10000}" "${IMPORT_ROWS:=20000}" "${PATH_ROWS:=200000}" "${HISTORY_TOUCHES:=1000000}" "${HISTORY_ORDERS:=30000}" "${PAYOUT_COMMISSIONS:=100000}" "${PAYOUT_PARTNERS:=10000}" "${RANDOM_ORDERS:=50000}"
fi
: "${ROUNDS:=5}" "${SECONDS_PER_ROUND:=10}" "${WARM_UP:=1}" "${CONNECTIONS:=128}" "${RATE:=10000}" "${VARY:=1}"
: "${HISTORY_TOUCHES:=10000000}" "${HISTORY_ORDERS:=300000}" "${PAYOUT_COMMISSIONS:=1000000}" "${PAYOUT_PARTNERS:=10000}"
: "${RANDOM_ORDERS:=1000000}"
: "${SUSTAINED_SECONDS:=60}" "${CLICKS:=2000}" "${DRAIN_LIMIT:=300}" "${ORDERS:=10000}" "${IMPORT_ROWS:=100000}" "${PATH_ROWS:=1000000}"
tributary=${TRIBUTARY_BIN:-target/release/tributary}
# /tmp is often memory, where syncing costs nothing.
export TMPDIR=${TMPDIR:-/var/tmp}
# Where Debian keeps nginx.
export PATH="$PATH:/usr/sbin"

if [[ ! -x $tributary ]]; then
  echo "$tributary is not there: cargo build --release" >&2
  exit 1
fi
cargo build --quiet --release --locked --manifest-path benches/load/Cargo.toml --target-dir target/bench-load

source benches/lib.sh
source benches/edge.sh
source benches/long.sh
source benches/back.sh
source benches/paths.sh
source benches/recompute.sh
source benches/payout.sh
source benches/random.sh
source benches/reports.sh

if [[ ${1:-} == orders-on-postgres ]]; then
  orders_on 'PostgreSQL, synced' "$TRIBUTARY_TEST_POSTGRES" '≥ 1000/s'
  exit
fi
if [[ ${1:-} == recompute-on-postgres ]]; then
  recompute_on PostgreSQL "$TRIBUTARY_TEST_POSTGRES"
  exit
fi
if [[ ${1:-} == payout-on-postgres ]]; then
  payout_on PostgreSQL "$TRIBUTARY_TEST_POSTGRES"
  exit
fi
if [[ ${1:-} == reports-on-postgres ]]; then
  reports_on PostgreSQL "$TRIBUTARY_TEST_POSTGRES"
  exit
fi
if [[ ${1:-} == random-on-postgres ]]; then
  random_on PostgreSQL "$TRIBUTARY_TEST_POSTGRES"
  exit
fi
if [[ $# -eq 0 ]]; then
  set -- "${WORDS[@]}"
fi
for word in "$@"; do
  if [[ " ${WORDS[*]} generator " != *" $word "* ]]; then
    echo "usage: $0 [${WORDS[*]} generator]" >&2
    exit 2
  fi
done
echo "load average before: $(cut -d' ' -f1-3 /proc/loadavg) (figures mean little while other programs work)"
for word in "$@"; do
  "$word"
done
if [[ -e $folder/disk ]]; then
  row 'disk: append 4 KiB + fdatasync, median' "" "$(disk_ms) ms"
fi
echo
python3 benches/figures.py table "$folder/table"
