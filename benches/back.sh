# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# The words for what lies behind the edge: orders, imports, start-up. Sourced by benches/run.sh.

# orders_on NAME STORE TARGET: new orders over 8 connections, each attributed to a click of its own, with its commission and
# journal, each answered when it is on the disk.
orders_on() {
  prepare_store "$2"
  start_server orders "$2" --trusted-proxies 127.0.0.0/8
  python3 benches/orders.py "${server_address[orders]}" "$key" "$((ORDERS * ROUNDS))" >"$folder/orders.all"
  # The mover has the clicks in the store before anybody waits for them.
  sleep 2
  local number
  for ((number = 1; number <= ROUNDS; number++)); do
    # Each round has ids and clicks of its own.
    sed -n "$(((number - 1) * ORDERS + 1)),$((number * ORDERS))p" "$folder/orders.all" >"$folder/orders.clicks"
    sed "s/bench-%d/bench-$number-%d/; s/customer-%d/customer-$number-%d/; s/buyer-%d/buyer-$number-%d/" benches/orders.lua >"$folder/orders.lua"
    wrk --threads 1 --connections 8 --duration 4s --latency --script "$folder/orders.lua" \
      "http://${server_address[orders]}/v1/orders" -- "$key" "$folder/orders.clicks" 2>"$folder/orders.wrong" |
      tail -n 1 | tee -a "$folder/orders.runs" | sed "s/^/orders, $1, round $number: /"
    cat "$folder/orders.wrong"
  done
  printf 'orders, %s\t%s/s\t\t\t%s\n' "$1" "$(cut -d/ -f1 "$folder/orders.runs" | median)" "$3"
  rm -f "$folder/orders.runs"
  stop_server orders
}

orders() {
  have orders curl python3 wrk || return 0
  mkdir -p "$folder/orders"
  orders_on SQLite "sqlite://$folder/orders/tributary.db" '≥ 1500/s' | tee "$folder/orders.lines"
  if scripts/find-postgres.sh >/dev/null 2>&1; then
    DURABLE=1 scripts/with-postgres.sh "$0" orders-on-postgres | tee -a "$folder/orders.lines"
  else
    skip 'orders, PostgreSQL' 'PostgreSQL is missing: scripts/install.sh bench'
  fi
  grep -P '\t' "$folder/orders.lines" >>"$folder/table"
}

import() {
  have import python3 || return 0
  local start end rate
  prepare_store "sqlite://$folder/import.db"
  python3 benches/orders_csv.py "$IMPORT_ROWS" >"$folder/orders.csv"
  start=$(date +%s%N)
  "$tributary" --database-url "sqlite://$folder/import.db" import orders "$folder/orders.csv" >"$folder/import.log" 2>&1 || {
    tail -n 20 "$folder/import.log" >&2
    exit 1
  }
  end=$(date +%s%N)
  rate=$(awk -v rows="$IMPORT_ROWS" -v ns=$((end - start)) 'BEGIN { printf "%d", rows / (ns / 1e9) }')
  echo "import, SQLite: $IMPORT_ROWS orders = $rate rows/s"
  row 'import of orders, SQLite' "$rate/s"
}

startup() {
  have startup python3 || return 0
  local address
  address=127.0.0.1:$(free_port)
  mkdir -p "$folder/startup"
  python3 benches/startup.py "$address" "$tributary" serve --listen "$address" \
    --database-url "sqlite://$folder/startup/tributary.db" --data-dir "$folder/startup" --edge-rate-limit 0 |
    tee "$folder/startup.lines"
  row 'start-up until /healthz, median' "$(sed -n 's/.*median \([0-9]* ms\)/\1/p' "$folder/startup.lines")"
  row 'memory at rest' "$(sed -n 's/^memory at rest: \([0-9.]* MiB\).*/\1/p' "$folder/startup.lines")"
  row 'binary' "$(awk -v bytes="$(stat -c %s "$tributary")" 'BEGIN { printf "%.1f MiB", bytes / 1048576 }')"
}

balance() {
  local with=()
  if scripts/find-postgres.sh >/dev/null 2>&1; then
    with=(env DURABLE=1 scripts/with-postgres.sh)
  else
    skip 'balance, PostgreSQL' 'PostgreSQL is missing: scripts/install.sh bench'
  fi
  "${with[@]}" cargo bench --locked --bench balance | tee "$folder/balance.lines"
  sed -n 's/^row\t//p' "$folder/balance.lines" >>"$folder/table"
}
