# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# The words that look longer or closer: held load, Redis, instructions, the mover, enrichment, the load generator.
# Sourced by benches/run.sh.

# Writes down, once a second, how old the oldest hit of a server's spool is and how many batches wait, until it is ended.
watch_lag() {
  local started=$SECONDS
  while :; do
    sleep 1
    echo "$((SECONDS - started)) $(metric "$1" tributary_spool_oldest_seconds) $(metric "$1" tributary_spool_oldest_seconds)"
  done
}

stored_touches() {
  python3 - "$folder/$1/tributary.db" <<'PYTHON'
import sqlite3, sys
store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=30)
print(store.execute("SELECT COUNT(*) FROM touches").fetchone()[0])
PYTHON
}

sustained() {
  have sustained nginx curl python3 || return 0
  local before after watcher drained_s line ours theirs
  disk
  nginx_server
  edge_server held
  drain held >/dev/null
  before=$(stored_touches held)
  round held-nginx 'held load: nginx before' nginx
  watch_lag held >"$folder/lag" &
  watcher=$!
  running["$watcher"]=watch
  SECONDS_PER_ROUND=$SUSTAINED_SECONDS round held "held load: whole, $SUSTAINED_SECONDS s" held
  stop "$watcher"
  drained_s=$(drain held)
  after=$(stored_touches held)
  round held-nginx 'held load: nginx after' nginx
  disk
  stop_server held
  stop_server nginx
  awk 'NF == 3 { printf "held load, %3d s: oldest hit %.2f s, %d batches wait\n", $1, $2, $3 }
    NF == 2 { printf "held load, %3d s: %d batches wait\n", $1, $2 }' "$folder/lag"
  ours=$(median_of held rate)
  theirs=$(median_of held-nginx rate)
  row "redirect held for $SUSTAINED_SECONDS s, moved" "$(printf '%.0f/s' "$ours")" "$(printf '%.0f/s' "$theirs")" \
    "$(quotient "$ours" "$theirs")" '≥ 0.45'
  line=$(awk 'NF == 3 { if ($2 > most) most = $2; seen = 1 } END { if (seen) printf "%.2f s", most; else print "no metric" }' "$folder/lag")
  row 'oldest hit in the spool meanwhile, most' "$line" '' '' '≤ 1 s'
  row 'until the spool was empty afterwards' "$drained_s s"
  line=$(python3 benches/figures.py conserved "$folder/held.rounds" "$((after - before))")
  echo "held load: $line"
  row 'acknowledged minus stored' "${line%%,*}" '' '' 0
}

# Starts a private Redis whose log is synced as told, on $redis_url.
redis_server() {
  local port
  port=$(free_port)
  redis_url=redis://127.0.0.1:$port
  mkdir -p "$folder/redis-$1"
  redis-server --port "$port" --bind 127.0.0.1 --dir "$folder/redis-$1" --save '' --appendonly yes --appendfsync "$1" \
    --daemonize no >"$folder/redis-$1.log" 2>&1 &
  server_pid[redis-$1]=$!
  running[$!]=redis
  for _ in {1..100}; do
    [[ $(redis-cli -p "$port" ping 2>/dev/null) == PONG ]] && return 0
    sleep 0.1
  done
  echo "redis-server does not answer; its log:" >&2
  tail -n 20 "$folder/redis-$1.log" >&2
  exit 1
}

redis() {
  have redis nginx redis-server redis-cli curl python3 || return 0
  if ! knows --spool; then
    skip redis 'this build has no --spool redis'
    return 0
  fi
  local number sync flags=() redis_url ours theirs target
  ! knows --no-mover || flags=(--no-mover)
  disk
  nginx_server
  for ((number = 1; number <= ROUNDS; number++)); do
    round redis-nginx "Redis spool, round $number: nginx" nginx
    for sync in everysec always; do
      redis_server "$sync"
      edge_server "edge-$sync" --spool redis --redis-url "$redis_url" "${flags[@]}"
      round "redis-$sync" "Redis spool, round $number: $sync" "edge-$sync"
      stop_server "edge-$sync"
      stop_server "redis-$sync"
      rm -rf "$folder/redis-$sync"
    done
  done
  disk
  stop_server nginx
  theirs=$(median_of redis-nginx rate)
  for sync in everysec always; do
    ours=$(median_of "redis-$sync" rate)
    target='≥ 0.50'
    [[ $sync == always ]] || target='≥ 0.70'
    row "redirect, Redis spool, $sync" "$(printf '%.0f/s' "$ours")" "$(printf '%.0f/s' "$theirs")" \
      "$(quotient "$ours" "$theirs")" "$target"
  done
}

# Instructions of the whole process for each of CLICKS clicks over 16 connections: instructions_of LABEL [FLAG OF serve…]
instructions_of() {
  local label=$1 total pid
  shift
  server_wrapper=(valgrind --tool=callgrind --instr-atstart=no "--callgrind-out-file=$folder/callgrind.out")
  TRIBUTARY_HTTP_THREADS=1 edge_server instructions "$@"
  server_wrapper=()
  pid=${server_pid[instructions]}
  local options=("${server_address[instructions]}" --json --connections 16 --threads 1 --path /r/bench --vary demo/clicks.csv)
  "$load" "${options[@]}" --requests 1000 >/dev/null
  drain_if_moved "$label"
  callgrind_control -i on "$pid" >/dev/null 2>&1
  "$load" "${options[@]}" --requests "$CLICKS" >"$folder/instructions.json"
  drain_if_moved "$label"
  callgrind_control -i off "$pid" >/dev/null 2>&1
  callgrind_control -d "$pid" >/dev/null 2>&1
  total=$(sed -n 's/^\(totals\|summary\): *//p' "$folder"/callgrind.out* | sort -n | tail -n 1)
  if [[ -n ${KEEP_CALLGRIND:-} ]]; then
    cp "$folder"/callgrind.out.1 "$KEEP_CALLGRIND"
  fi
  rm -f "$folder"/callgrind.out*
  stop_server instructions
  if [[ -z $total ]]; then
    skip "instructions a click, $label" 'callgrind wrote nothing'
    return 0
  fi
  echo "instructions, $label: $total for $CLICKS clicks"
  row "instructions a click, $label" "$(awk -v total="$total" -v clicks="$CLICKS" 'BEGIN { printf "%d", total / clicks }')"
}

drain_if_moved() {
  [[ $1 == 'spool alone' ]] || drain instructions >/dev/null
}

instructions() {
  have instructions valgrind callgrind_control curl python3 || return 0
  grep -qc TRIBUTARY_HTTP_THREADS "$tributary" || echo 'instructions: this build ignores TRIBUTARY_HTTP_THREADS, so it has a worker a core'
  if knows --no-mover; then
    instructions_of 'spool alone' --no-mover
  else
    skip 'instructions a click, spool alone' 'this build has no --no-mover'
  fi
  instructions_of whole
}

# benches/mover.rs prints lines of `row<TAB>work<TAB>ours<TAB>reference<TAB>ratio<TAB>target`; all else is shown as it is.
mover() {
  if [[ ! -e benches/mover.rs ]]; then
    skip mover 'benches/mover.rs is not there'
    return 0
  fi
  local with=()
  if scripts/find-postgres.sh >/dev/null 2>&1; then
    with=(env DURABLE=1 scripts/with-postgres.sh)
  else
    skip 'mover, PostgreSQL' 'PostgreSQL is missing: scripts/install.sh bench'
  fi
  "${with[@]}" cargo bench --locked --bench mover | tee "$folder/mover.lines"
  sed -n 's/^row\t//p' "$folder/mover.lines" >>"$folder/table"
}

# The same of benches/enrichment.rs.
enrichment() {
  cargo bench --locked --bench enrichment | tee "$folder/enrichment.lines"
  sed -n 's/^row\t//p' "$folder/enrichment.lines" >>"$folder/table"
}

# What the load generator itself costs beside wrk, both against nginx with the same request.
generator() {
  have generator nginx wrk curl python3 || return 0
  local number address rate TIMEFORMAT='%U %S'
  nginx_server
  address=${server_address[nginx]}
  for ((number = 1; number <= ROUNDS; number++)); do
    { time wrk -t2 -c"$CONNECTIONS" -d"${SECONDS_PER_ROUND}s" "http://$address/" >"$folder/wrk.out"; } 2>"$folder/wrk.time"
    awk '/requests in/ { n = $1 } NR == FNR { next } { printf "%.2f\n", ($1 + $2) * 1000000 / n }' \
      "$folder/wrk.out" "$folder/wrk.time" >>"$folder/wrk.costs"
    { time "$load" "$address" --connections "$CONNECTIONS" --seconds "$SECONDS_PER_ROUND" --json >"$folder/load.out"; } \
      2>"$folder/load.time"
    rate=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["acknowledged"])' <"$folder/load.out")
    awk -v n="$rate" '{ printf "%.2f\n", ($1 + $2) * 1000000 / n }' "$folder/load.time" >>"$folder/load.costs"
  done
  stop_server nginx
  rate=$(median <"$folder/load.costs")
  row 'CPU of the load generator a request, beside wrk' "$rate µs" "$(median <"$folder/wrk.costs") µs" \
    "$(quotient "$rate" "$(median <"$folder/wrk.costs")")"
}
