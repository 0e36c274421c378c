# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# The word for the accountant's month over a store of many commissions. Sourced by benches/run.sh.

# payout_store STORE released|held: a fresh store of PAYOUT_COMMISSIONS commissions of PAYOUT_PARTNERS partners.
payout_store() {
  local program partner first=$period-01T09:00:00Z
  prepare_store "$1"
  start_server payout "$1"
  program=$(post payout /v1/programs '{"name":"Bench","currency":"RUB","destination_hosts":["shop.example"],"hold_days":14}' | id_in)
  post payout /v1/commission-rules "{\"program\":\"$program\",\"percent\":\"10\",\"starts_at\":\"2020-01-01T00:00:00Z\"}" >/dev/null
  partner=$(post payout /v1/partners '{"name":"Template","email":"template@blog.example"}' | id_in)
  post payout /v1/promo-codes "{\"program\":\"$program\",\"partner\":\"$partner\",\"code\":\"BENCH\",\"discount\":{\"percent\":\"10\"},\"starts_at\":\"2020-01-01T00:00:00Z\"}" >/dev/null
  post payout /v1/orders "{\"external_id\":\"B-0\",\"placed_at\":\"$first\",\"currency\":\"RUB\",\"total\":\"1000.00\",\"promo_codes\":[\"BENCH\"]}" >/dev/null
  local payer='{"name":"ООО Ромашка","name_latin":"Romashka","inn":"7707083893","kpp":"773601001","account":"40702810500000001234","bik":"044525225","correspondent_account":"30101810400000000225","bank_name":"ПАО СБЕРБАНК","iban":"DE36210501700024690959"}'
  curl --silent --show-error --fail-with-body --request PUT --header "Authorization: Bearer $key" \
    --header 'Content-Type: application/json' --data "$payer" "http://${server_address[payout]}/v1/payer" >/dev/null
  stop_server payout
  python3 benches/payout.py "${1#sqlite://}" "$PAYOUT_COMMISSIONS" "$PAYOUT_PARTNERS" "$period" "$2"
  # The journals are hashed when the store is opened next.
  "$tributary" --database-url "$1" payouts second-approver >/dev/null
}

# timed_row WHAT TARGET COMMAND…: seconds into the table; the peak of memory stays in $mebibytes.
timed_row() {
  local what=$1 target=$2 line
  shift 2
  line=$(python3 benches/timed.py "$@")
  mebibytes=${line#* }
  echo "$what: ${line% *} s, $mebibytes MiB"
  printf '%s\t%s s\t\t\t%s\n' "$what" "${line% *}" "$target"
}

# payout_on NAME DATABASE
payout_on() {
  local name=$1 store period format what method state
  period=$(date --utc --date="$(date --utc +%Y-%m-15) -1 month" +%Y-%m)
  what="$PAYOUT_COMMISSIONS commissions of $PAYOUT_PARTNERS partners"
  for state in held released; do
    store=$2
    if [[ $store == sqlite://* ]]; then
      store=sqlite://$folder/payout.$state/tributary.db
      mkdir -p "$folder/payout.$state"
    elif [[ $state == held ]]; then
      store=${2%/*}/payout_held
      psql --quiet "$2" --command 'CREATE DATABASE payout_held'
    fi
    payout_store "$store" "$state"
    local with=''
    [[ $state == held ]] && with=', nothing released before'
    timed_row "payout, $name, close and build, $what$with" '≤ 30 s' "$tributary" --database-url "$store" payouts build --period "$period"
    printf 'payout, %s, close and build%s, peak memory\t%s MiB\t\t\t≤ 512 MiB\n' "$name" "$with" "$mebibytes"
    if [[ $state == held ]]; then
      [[ $store == sqlite://* ]] && rm -rf "$folder/payout.$state"
      continue
    fi
    timed_row "payout, $name, approve" '' "$tributary" --database-url "$store" payouts approve --period "$period"
    for format in csv xlsx 1c; do
      timed_row "payout, $name, export of $PAYOUT_PARTNERS payees, $format" '≤ 2 s' \
        "$tributary" --database-url "$store" payouts export --period "$period" --format "$format" --out "$folder/payees"
    done
    timed_row "payout, $name, mark as paid" '' "$tributary" --database-url "$store" payouts paid --period "$period" --bank-reference 1
    if [[ ${DOCTOR:-0} != 0 ]]; then
      timed_row "payout, $name, doctor" '' "$tributary" --database-url "$store" doctor
    fi
    # The other files are of the same payees, paid in other ways.
    for method in sepa:pain001 paypal:paypal wise:wise; do
      python3 benches/payout.py "${store#sqlite://}" payees "${method%:*}"
      timed_row "payout, $name, export of $PAYOUT_PARTNERS payees, ${method#*:}" '≤ 2 s' \
        bash benches/payout_parts.sh "$tributary" "$store" "$period" "${method#*:}" "$PAYOUT_PARTNERS" "$folder/payees"
    done
    [[ $store == sqlite://* ]] && rm -rf "$folder/payout.$state"
  done
}

payout() {
  have payout curl python3 || return 0
  payout_on SQLite "sqlite://$folder" | tee "$folder/payout.lines"
  if have payout psql && scripts/find-postgres.sh >/dev/null 2>&1; then
    DURABLE=1 scripts/with-postgres.sh "$0" payout-on-postgres | tee -a "$folder/payout.lines"
  fi
  grep -P '\t' "$folder/payout.lines" >>"$folder/table"
}
