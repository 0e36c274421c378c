#!/usr/bin/env bash
# Measures a release build and prints ratios and rates; it judges nothing, and load and server share this machine's cores.
#
#   benches/run.sh [redirect|orders|import|startup]    without a word: all four
#
# Settings: ROUNDS=5 SECONDS_PER_ROUND=5 CONNECTIONS=128 ORDERS=2000 IMPORT_ROWS=100000
#           TRIBUTARY_BIN=target/release/tributary TMPDIR=/var/tmp (must be the kind of disk you mean to measure)
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${ROUNDS:-5}
SECONDS_PER_ROUND=${SECONDS_PER_ROUND:-5}
CONNECTIONS=${CONNECTIONS:-128}
ORDERS=${ORDERS:-2000}
IMPORT_ROWS=${IMPORT_ROWS:-100000}
tributary=${TRIBUTARY_BIN:-target/release/tributary}
# /tmp is often memory, where syncing costs nothing.
export TMPDIR=${TMPDIR:-/var/tmp}
# Where Debian keeps nginx.
export PATH="$PATH:/usr/sbin"
browser='Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

folder=$(mktemp -d "$TMPDIR/tributary-bench.XXXXXX")
server_pid=''
nginx_pid=''

stop() {
  local pid=$1
  [[ -n $pid ]] || return 0
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
  stop "$server_pid"
  stop "$nginx_pid"
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

require() {
  local program
  for program in "$@"; do
    if ! command -v "$program" >/dev/null; then
      echo "$program is missing; on Debian: apt-get install nginx-light wrk curl python3" >&2
      exit 1
    fi
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() {
  local url=$1 pid=$2
  for _ in {1..300}; do
    curl --silent --output /dev/null "$url" && return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "$url does not answer; its log:" >&2
  tail -n 20 "$folder"/*.log >&2 || true
  exit 1
}

median() {
  sort -n | awk '{ value[NR] = $1 } END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'
}

# A fresh store at the given address, and $key to act on it.
prepare_store() {
  export TRIBUTARY_DATABASE_URL=$1
  export TRIBUTARY_DATA_DIR=$folder
  "$tributary" --database-url "$1" migrate >"$folder/migrate.log" 2>&1 || {
    cat "$folder/migrate.log" >&2
    exit 1
  }
  key=$("$tributary" --database-url "$1" key add --name bench --scope admin | grep -oE -m1 'trb_[A-Za-z0-9_-]{43}')
}

# Serves the store at the given address on $address.
start_server() {
  address=127.0.0.1:$(free_port)
  "$tributary" serve --listen "$address" --database-url "$1" --edge-rate-limit 0 >"$folder/server.log" 2>&1 &
  server_pid=$!
  wait_for "http://$address/healthz" "$server_pid"
}

stop_server() {
  stop "$server_pid"
  server_pid=''
}

post() {
  curl --silent --show-error --fail-with-body --header "Authorization: Bearer $key" \
    --header 'Content-Type: application/json' --data "$2" "http://$address$1"
}

id_in() {
  python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'
}

# One round of load; prints: requests a second, p50, p99, and what went wrong.
load() {
  local report errors
  report=$(wrk -t2 -c"$CONNECTIONS" -d"${SECONDS_PER_ROUND}s" --latency -H "User-Agent: $browser" "$1")
  errors=$(sed -n 's/^ *\(Socket errors.*\|Non-2xx.*\)/\1/p' <<<"$report" | paste -sd' ')
  awk -v errors="$errors" '
    $1 == "50%" { p50 = $2 } $1 == "99%" { p99 = $2 } $1 == "Requests/sec:" { rate = $2 }
    END { printf "%d %s %s %s\n", rate, p50, p99, errors }' <<<"$report"
}

redirect() {
  require nginx wrk curl python3
  local port program status round rate p50 p99 errors tributary_rate nginx_rate
  python3 benches/disk.py "$folder"

  port=$(free_port)
  sed "s|@PORT@|$port|; s|@FOLDER@|$folder|" benches/nginx.conf >"$folder/nginx.conf"
  nginx -p "$folder" -c "$folder/nginx.conf" -e "$folder/nginx-error.log" &
  nginx_pid=$!
  wait_for "http://127.0.0.1:$port/" "$nginx_pid"

  prepare_store "sqlite://$folder/redirect.db"
  start_server "sqlite://$folder/redirect.db"
  program=$(post /v1/programs '{"name":"Bench","currency":"GBP","destination_hosts":["shop.example"]}' | id_in)
  post /v1/links "{\"program\":\"$program\",\"code\":\"bench\",\"url\":\"https://shop.example/\"}" >/dev/null
  status=$(curl --silent --output /dev/null --write-out '%{http_code} %{redirect_url}' \
    --user-agent "$browser" "http://$address/r/bench")
  echo "redirect: tributary answers $status"

  : >"$folder/nginx.rates"
  : >"$folder/tributary.rates"
  for ((round = 1; round <= ROUNDS; round++)); do
    for server in nginx tributary; do
      if [[ $server == nginx ]]; then
        read -r rate p50 p99 errors < <(load "http://127.0.0.1:$port/")
      else
        read -r rate p50 p99 errors < <(load "http://$address/r/bench")
      fi
      echo "$rate" >>"$folder/$server.rates"
      printf 'redirect, round %d: %-9s %8d/s  p50 %s  p99 %s  %s\n' "$round" "$server" "$rate" "$p50" "$p99" "$errors"
    done
  done
  nginx_rate=$(median <"$folder/nginx.rates")
  tributary_rate=$(median <"$folder/tributary.rates")
  awk -v ours="$tributary_rate" -v theirs="$nginx_rate" 'BEGIN {
    printf "redirect: medians nginx %d/s, tributary %d/s; ratio %.2f\n", theirs, ours, ours / theirs }'
  stop_server
  stop "$nginx_pid"
  nginx_pid=''
}

orders_on() {
  prepare_store "$2"
  start_server "$2"
  python3 benches/orders.py "$1" "$address" "$key" "$ORDERS" 4
  stop_server
}

orders() {
  require curl python3
  python3 benches/disk.py "$folder"
  orders_on SQLite "sqlite://$folder/orders.db"
  DURABLE=1 scripts/with-postgres.sh "$0" orders-on-postgres
}

import() {
  require python3
  local start end
  prepare_store "sqlite://$folder/import.db"
  python3 benches/orders_csv.py "$IMPORT_ROWS" >"$folder/orders.csv"
  start=$(date +%s%N)
  "$tributary" --database-url "sqlite://$folder/import.db" import orders "$folder/orders.csv" >"$folder/import.log" 2>&1 || {
    tail -n 20 "$folder/import.log" >&2
    exit 1
  }
  end=$(date +%s%N)
  awk -v rows="$IMPORT_ROWS" -v ns=$((end - start)) 'BEGIN {
    printf "import, SQLite: %d orders in %.2f s = %d rows/s\n", rows, ns / 1e9, rows / (ns / 1e9) }'
}

startup() {
  require python3
  local url="sqlite://$folder/startup.db"
  address=127.0.0.1:$(free_port)
  TRIBUTARY_DATA_DIR=$folder python3 benches/startup.py "$address" \
    "$tributary" serve --listen "$address" --database-url "$url" --edge-rate-limit 0
  awk -v bytes="$(stat -c %s "$tributary")" 'BEGIN { printf "binary: %.1f MiB\n", bytes / 1048576 }'
}

if [[ ! -x $tributary ]]; then
  echo "$tributary is not there: cargo build --release" >&2
  exit 1
fi
case ${1:-all} in
  redirect | orders | import | startup) "$1" ;;
  orders-on-postgres) orders_on "PostgreSQL, synced" "$TRIBUTARY_TEST_POSTGRES" ;;
  all)
    redirect
    orders
    import
    startup
    ;;
  *)
    echo "usage: $0 [redirect|orders|import|startup]" >&2
    exit 2
    ;;
esac
