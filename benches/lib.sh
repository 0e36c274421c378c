# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# What the words of benches/run.sh share: processes, stores, rounds of load, rows of the table. Sourced, not run.

browser='Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
load=target/bench-load/release/load

folder=$(mktemp -d "$TMPDIR/tributary-bench.XXXXXX")
# Everything that was started and not yet stopped.
declare -A running=()
# By a server's name: where it listens, and its process.
declare -A server_address=() server_pid=()
# What `serve` is run under, if anything.
server_wrapper=()

# Ends a process in order, or after 60 seconds without mercy.
stop() {
  local pid=$1
  [[ -n $pid ]] || return 0
  kill -TERM "$pid" 2>/dev/null || true
  for _ in {1..600}; do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  unset "running[$pid]"
}

# shellcheck disable=SC2317 # the trap calls it
clean_up() {
  local pid
  for pid in "${!running[@]}"; do
    kill -TERM "$pid" 2>/dev/null || true
  done
  for pid in "${!running[@]}"; do
    stop "$pid"
  done
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Whether the programs are here; else says that the word is skipped.
have() {
  local word=$1 program
  shift
  for program in "$@"; do
    if ! command -v "$program" >/dev/null; then
      skip "$word" "$program is missing: scripts/install.sh bench"
      return 1
    fi
  done
}

skip() {
  echo "$1: skipped, $2"
  row "$1" '' '' '' "skipped: $2"
}

# Adds a row to the table: work, ours, reference, ratio, target.
row() {
  local IFS=$'\t'
  echo "$*" >>"$folder/table"
}

# Whether `serve` of this build knows a flag.
knows() {
  [[ $("$tributary" serve --help) == *"$1"* ]]
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for() {
  local url=$1 pid=$2
  for _ in {1..600}; do
    curl --silent --output /dev/null "$url" && return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "$url does not answer; its log:" >&2
  tail -n 20 "$folder"/*.log >&2 || true
  exit 1
}

quotient() {
  awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'
}

# Median of a field over the rounds of a name.
median_of() {
  python3 benches/figures.py median "$2" "$folder/$1.rounds"
}

# The disk's own price of durability, in ms, measured now; the table shows all measurements of a run.
disk() {
  local line
  line=$(python3 benches/disk.py "$folder")
  echo "$line"
  sed -n 's/.* median \([0-9.]*\) ms.*/\1/p' <<<"$line" >>"$folder/disk"
}

disk_ms() {
  printf '%.3f' "$(median <"$folder/disk")"
}

median() {
  sort -n | awk '{ value[NR] = $1 } END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'
}

# A fresh store at the given address, and $key to act on it.
prepare_store() {
  "$tributary" --database-url "$1" migrate >"$folder/migrate.log" 2>&1 || {
    cat "$folder/migrate.log" >&2
    exit 1
  }
  key=$("$tributary" --database-url "$1" key add --name bench --scope admin | grep -oE -m1 'trb_[A-Za-z0-9_-]{43}')
}

# Starts the server NAME on a store: start_server NAME STORE [FLAG OF serve…]
start_server() {
  local name=$1 store=$2
  shift 2
  mkdir -p "$folder/$name"
  server_address[$name]=127.0.0.1:$(free_port)
  "${server_wrapper[@]}" "$tributary" serve --listen "${server_address[$name]}" --database-url "$store" \
    --data-dir "$folder/$name" --edge-rate-limit 0 "$@" >"$folder/$name.log" 2>&1 &
  server_pid[$name]=$!
  running[$!]=$name
  wait_for "http://${server_address[$name]}/healthz" "$!"
}

stop_server() {
  stop "${server_pid[$1]:-}"
  unset "server_pid[$1]"
}

post() {
  curl --silent --show-error --fail-with-body --header "Authorization: Bearer $key" \
    --header 'Content-Type: application/json' --data "$3" "http://${server_address[$1]}$2"
}

id_in() {
  python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'
}

# Starts the server NAME on a fresh SQLite store with the link /r/bench: edge_server NAME [FLAG OF serve…]
edge_server() {
  local name=$1 program status
  shift
  rm -rf "${folder:?}/$name"
  mkdir -p "$folder/$name"
  prepare_store "sqlite://$folder/$name/tributary.db"
  start_server "$name" "sqlite://$folder/$name/tributary.db" "$@"
  program=$(post "$name" /v1/programs '{"name":"Bench","currency":"GBP","destination_hosts":["shop.example"]}' | id_in)
  post "$name" /v1/links "{\"program\":\"$program\",\"code\":\"bench\",\"url\":\"https://shop.example/\"}" >/dev/null
  for _ in {1..50}; do
    status=$(curl --silent --output /dev/null --write-out '%{http_code}' --user-agent "$browser" \
      "http://${server_address[$name]}/r/bench")
    [[ $status == 302 ]] && return 0
    sleep 0.1
  done
  echo "$name: /r/bench answers $status" >&2
  exit 1
}

# nginx with its bare 302, unless it runs.
nginx_server() {
  local port
  [[ -z ${server_pid[nginx]:-} ]] || return 0
  port=$(free_port)
  sed "s|@PORT@|$port|; s|@FOLDER@|$folder|" benches/nginx.conf >"$folder/nginx.conf"
  nginx -p "$folder" -c "$folder/nginx.conf" -e "$folder/nginx-error.log" &
  server_pid[nginx]=$!
  server_address[nginx]=127.0.0.1:$port
  running[$!]=nginx
  wait_for "http://127.0.0.1:$port/" "$!"
}

# CPU time of a process and its children so far, in µs.
cpu_us() {
  local ticks
  ticks=$(getconf CLK_TCK)
  for pid in "$1" $(ps -o pid= --ppid "$1" 2>/dev/null); do
    # The name in brackets may hold blanks; utime and stime are the 12th and 13th field after it.
    sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null
  done | awk -v ticks="$ticks" '{ sum += $12 + $13 } END { printf "%d", sum * 1000000 / ticks }'
}

metric() {
  curl --silent --max-time 10 "http://${server_address[$1]}/metrics" | awk -v name="$2" '$1 == name { print $2 }'
}

# Waits until the spool of a server is empty; prints how many seconds that took.
drain() {
  local start waiting
  start=$(date +%s%N)
  while :; do
    waiting=$(metric "$1" tributary_spool_oldest_seconds)
    [[ ${waiting%.*} == 0 ]] && break
    if (($(date +%s%N) - start > DRAIN_LIMIT * 1000000000)); then
      echo "$1: $waiting batches still wait after $DRAIN_LIMIT s" >&2
      break
    fi
    sleep 0.1
  done
  awk -v ns=$(($(date +%s%N) - start)) 'BEGIN { printf "%.1f", ns / 1e9 }'
}

# Says so if a server answered without having put the hit on disk: then its figures mean nothing.
check_durable() {
  local refused
  refused=$(metric "$1" tributary_hits_not_durable_total)
  [[ ${refused:-0} == 0 ]] || echo "WARNING: $1 answered $refused hits that its disk had refused" >&2
}

# One round of load on a server; FIGURES collects it: round FIGURES LABEL SERVER [OPTION OF load…]
# With $drained set, CPU time counts until the spool is empty.
round() {
  local figures=$1 label=$2 name=$3 before after line
  shift 3
  local options=(--connections "$CONNECTIONS" --seconds "$SECONDS_PER_ROUND" --warm-up "$WARM_UP" --path /r/bench)
  [[ $VARY == 0 ]] || options+=(--vary demo/clicks.csv)
  before=$(cpu_us "${server_pid[$name]}")
  line=$("$load" "${server_address[$name]}" --json "${options[@]}" "$@") || {
    echo "$label: no request was answered well: $line" >&2
    tail -n 20 "$folder/$name.log" >&2 || true
    exit 1
  }
  [[ -z ${drained:-} ]] || drain "$name" >"$folder/$name.drained"
  after=$(cpu_us "${server_pid[$name]}")
  [[ $name == nginx ]] || check_durable "$name"
  python3 benches/figures.py note "$folder/$figures.rounds" "$label" "$((after - before))" <<<"$line"
}
