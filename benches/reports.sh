# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# The word for reports over a store of two years, and over a tenth of it. Sourced by benches/run.sh.

# reports_store STORE TOUCHES ORDERS
reports_store() {
  local number
  prepare_store "$1"
  start_server reports "$1"
  post reports /v1/programs '{"name":"Bench","currency":"RUB","destination_hosts":["shop.example"],"hold_days":14}' >/dev/null
  post reports /v1/commission-rules '{"program":"pro_1","percent":"10","starts_at":"2020-01-01T00:00:00Z"}' >/dev/null
  for ((number = 1; number <= 50; number++)); do
    post reports /v1/partners "{\"name\":\"Partner $number\",\"email\":\"partner-$number@blog.example\"}" >/dev/null
  done
  stop_server reports
  python3 benches/history.py "${1#sqlite://}" "$2" "$3" 50
}

# reports_on NAME DATABASE
reports_on() {
  local name=$1 store part touches orders raw line
  for part in 10 1; do
    touches=$((HISTORY_TOUCHES / part)) orders=$((HISTORY_ORDERS / part))
    store=$2
    if [[ $store == sqlite://* ]]; then
      store=sqlite://$folder/reports.$part/tributary.db
      mkdir -p "$folder/reports.$part"
    elif [[ $part == 10 ]]; then
      store=${2%/*}/reports_tenth
      psql --quiet "$2" --command 'CREATE DATABASE reports_tenth'
    fi
    reports_store "$store" "$touches" "$orders"
    line=$(python3 benches/timed.py "$tributary" --database-url "$store" recompute --rollups)
    printf 'reports, %s, roll-ups of %s touches made anew, with recompute\t%s s\t\t\t\n' "$name" "$touches" "${line% *}"
    start_server reports "$store"
    python3 benches/reports.py ask "${server_address[reports]}" "$key" >"$folder/reports.$name.$part"
    stop_server reports
    sed "s/^/reports, $name, $touches touches: /" "$folder/reports.$name.$part" | tr '\t' ' '
    [[ $part == 1 ]] && raw=$(python3 benches/reports.py raw "${store#sqlite://}")
    [[ $store == sqlite://* ]] && rm -rf "$folder/reports.$part"
  done
  local what=$HISTORY_TOUCHES
  while IFS=$'\t' read -r question milliseconds; do
    local tenth target='≤ 50 ms'
    tenth=$(grep -F "$question	" "$folder/reports.$name.10" | cut -f2)
    [[ $question == *'two years'* ]] && target='≤ 200 ms'
    printf 'reports, %s, %s\t%s ms\t\t\t%s\n' "$name" "$question" "$milliseconds" "$target"
    printf 'reports, %s, %s, against a tenth of the touches\t%s ms\t%s ms\t%s\t≤ 1.5\n' "$name" "$question" "$milliseconds" "$tenth" \
      "$(quotient "$milliseconds" "$tenth")"
  done <"$folder/reports.$name.1"
  printf 'reports, %s, channels and visitors of 90 days by plain SQL over %s touches\t%s ms\t\t\t\n' "$name" "$what" "$raw"
}

reports() {
  have reports curl python3 || return 0
  reports_on SQLite "sqlite://$folder" | tee "$folder/reports.lines"
  if have reports psql && scripts/find-postgres.sh >/dev/null 2>&1; then
    DURABLE=1 scripts/with-postgres.sh "$0" reports-on-postgres | tee -a "$folder/reports.lines"
  fi
  grep -P '\t' "$folder/reports.lines" >>"$folder/table"
}
