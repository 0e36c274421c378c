# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# The word for a shop of random orders: taken in as files, its months closed and paid, and proved. Sourced by benches/run.sh.

# random_on NAME DATABASE
random_on() {
  local name=$1 store=$2 kind rows
  mkdir -p "$folder/random"
  python3 benches/random_orders.py files "$folder/random" "$RANDOM_ORDERS"
  prepare_store "$store"
  start_server random "$store"
  python3 benches/random_orders.py programs "${server_address[random]}" "$key"
  stop_server random
  for kind in partners promo-codes touches orders refunds; do
    rows=$(($(wc -l <"$folder/random/$kind.csv") - 1))
    timed_row "random orders, $name, import of $rows $kind" '' \
      "$tributary" --database-url "$store" import "$kind" "$folder/random/$kind.csv"
  done
  timed_row "random orders, $name, close and build" '' "$tributary" --database-url "$store" payouts build --period 2026-01
  timed_row "random orders, $name, doctor finds nothing" '' "$tributary" --database-url "$store" doctor
  printf 'random orders, %s, doctor, peak memory\t%s MiB\t\t\t\n' "$name" "$mebibytes"
}

random() {
  have random curl python3 || return 0
  random_on SQLite "sqlite://$folder/random/tributary.db" | tee "$folder/random.lines"
  if scripts/find-postgres.sh >/dev/null 2>&1; then
    DURABLE=1 scripts/with-postgres.sh "$0" random-on-postgres | tee -a "$folder/random.lines"
  fi
  grep -P '\t' "$folder/random.lines" >>"$folder/table"
}
