# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# The words that hold redirect, pixel and beacon against nginx's bare 302. Sourced by benches/run.sh.

# Closed-loop rounds at full load, as many as wanted, nginx and ours in turn; `redirect` and `cpu` read them.
full_load() {
  local number
  [[ ! -e $folder/full-nginx.rounds ]] || return 0
  disk
  nginx_server
  edge_server whole
  for ((number = 1; number <= ROUNDS; number++)); do
    round full-nginx "full load, round $number: nginx" nginx
    if knows --no-mover; then
      edge_server spool --no-mover
      round full-spool "full load, round $number: spool alone" spool
      stop_server spool
    fi
    drained=1 round full-whole "full load, round $number: whole" whole
  done
  disk
  stop_server whole
  stop_server nginx
}

# A row for a field of full-load rounds: full_load_row WORK VARIANT FIELD FORMAT TARGET
full_load_row() {
  local ours theirs
  ours=$(median_of "full-$2" "$3")
  theirs=$(median_of full-nginx "$3")
  # shellcheck disable=SC2059 # the format is the caller's
  row "$1" "$(printf "$4" "$ours")" "$(printf "$4" "$theirs")" "$(quotient "$ours" "$theirs")" "$5"
}

redirect() {
  have redirect nginx curl python3 || return 0
  full_load
  if knows --no-mover; then
    full_load_row 'redirect, spool alone' spool rate '%.0f/s' '≥ 0.60'
  else
    skip 'redirect, spool alone' 'this build has no --no-mover'
  fi
  full_load_row 'redirect, whole' whole rate '%.0f/s' ''
}

cpu() {
  have cpu nginx curl python3 || return 0
  full_load
  if knows --no-mover; then
    full_load_row 'CPU a click, spool alone' spool cpu_us '%.1f µs' '≤ 1.7'
  else
    skip 'CPU a click, spool alone' 'this build has no --no-mover'
  fi
  full_load_row 'CPU a click, whole' whole cpu_us '%.1f µs' '≤ 2.4'
}

# Rows of latency for a variant: latency_rows VARIANT WORDS TARGET_OF_P99
latency_rows() {
  local p50 nginx_p50 p99 nginx_p99 sync
  p50=$(median_of "latency-$1" p50_ms)
  nginx_p50=$(median_of latency-nginx p50_ms)
  p99=$(median_of "latency-$1" p99_ms)
  nginx_p99=$(median_of latency-nginx p99_ms)
  sync=$(disk_ms)
  row "p50 at $RATE/s, $2, fdatasyncs above nginx" "$(printf '%.3f ms' "$p50")" "$(printf '%.3f ms' "$nginx_p50")" \
    "$(awk -v a="$p50" -v b="$nginx_p50" -v sync="$sync" 'BEGIN { printf "%.2f", (a - b) / sync }')" '≤ 2'
  row "p99 at $RATE/s, $2" "$(printf '%.3f ms' "$p99")" "$(printf '%.3f ms' "$nginx_p99")" \
    "$(quotient "$p99" "$nginx_p99")" "$3"
}

latency() {
  have latency nginx curl python3 || return 0
  local number
  nginx_server
  edge_server whole
  for ((number = 1; number <= ROUNDS; number++)); do
    # Others on this disk change its price from one minute to the next.
    disk
    round latency-nginx "$RATE/s, round $number: nginx" nginx --rate "$RATE"
    if knows --no-mover; then
      edge_server spool --no-mover
      round latency-spool "$RATE/s, round $number: spool alone" spool --rate "$RATE"
      stop_server spool
    fi
    drained=1 round latency-whole "$RATE/s, round $number: whole" whole --rate "$RATE"
  done
  disk
  stop_server whole
  stop_server nginx
  if knows --no-mover; then
    latency_rows spool 'spool alone' '≤ 6'
  else
    skip "latency at $RATE/s, spool alone" 'this build has no --no-mover'
  fi
  latency_rows whole whole '≤ 8'
}

pixel() {
  have pixel curl python3 || return 0
  local number shape path server=whole click
  ! knows --no-mover || server=spool
  for ((number = 1; number <= ROUNDS; number++)); do
    for shape in click pixel event; do
      case $shape in
        click) path=/r/bench ;;
        pixel) path=/px.gif ;;
        event) path=/e ;;
      esac
      # Each on a fresh spool and store, so that none of them meets the rows of the one before.
      if [[ $server == spool ]]; then edge_server spool --no-mover; else edge_server whole; fi
      round "shape-$shape" "$server, round $number: $shape" "$server" --vary demo/clicks.csv --as "$shape" --path "$path"
      stop_server "$server"
    done
  done
  click=$(median_of shape-click rate)
  for shape in pixel event; do
    row "$shape against redirect" "$(printf '%.0f/s' "$(median_of "shape-$shape" rate)")" "$(printf '%.0f/s' "$click")" \
      "$(quotient "$(median_of "shape-$shape" rate)" "$click")" '≥ 0.95'
  done
}
