# shellcheck shell=bash disable=SC2034,SC2154 # the files use what the others assign
# The word for `tributary recompute` over a store of two years. Sourced by benches/run.sh.

# recompute_on NAME DATABASE: all of it and half of it, rule models alone and everything.
recompute_on() {
  local name=$1 part touches orders store models seconds_of=()
  local rules=last_click,last_non_direct,first_click,linear,time_decay,position_based,w_shaped,shapley
  for part in 2 1; do
    touches=$((HISTORY_TOUCHES / part)) orders=$((HISTORY_ORDERS / part))
    store=$2
    if [[ $store == sqlite://* ]]; then
      store=sqlite://$folder/history.$part/tributary.db
      mkdir -p "$folder/history.$part"
    elif [[ $part == 2 ]]; then
      store=${2%/*}/history_half
      psql --quiet "$2" --command 'CREATE DATABASE history_half'
    fi
    prepare_store "$store"
    python3 benches/history.py "${store#sqlite://}" "$touches" "$orders"
    for models in "$rules" all; do
      local given=(--models "$models")
      [[ $models == all ]] && given=()
      rm -f "$folder/recompute.$name.$part.$models.runs"
      for ((number = 1; number <= ROUNDS; number++)); do
        python3 benches/timed.py "$tributary" --database-url "$store" recompute "${given[@]}" |
          tee -a "$folder/recompute.runs.$part.${models%%,*}" |
          sed "s/^/recompute, $name, $touches touches, ${models%%,*}, round $number (s, MiB): /"
      done
      seconds_of+=("$(cut -d' ' -f1 "$folder/recompute.runs.$part.${models%%,*}" | median)")
      mebibytes=$(cut -d' ' -f2 "$folder/recompute.runs.$part.${models%%,*}" | median)
    done
    [[ $store == sqlite://* ]] && rm -rf "$folder/history.$part"
  done
  rm -f "$folder"/recompute.runs.*
  local what="$HISTORY_TOUCHES touches, $HISTORY_ORDERS orders"
  printf 'recompute, %s, rule models, %s\t%s s\t\t\t%s\n' "$name" "$what" "${seconds_of[2]}" "$([[ $name == SQLite ]] && echo '≤ 2 s')"
  printf 'recompute, %s, all models\t%s s\t\t\t≤ 60 s\n' "$name" "${seconds_of[3]}"
  printf 'recompute, %s, peak memory\t%s MiB\t\t\t≤ 1024 MiB\n' "$name" "$mebibytes"
  printf 'recompute, %s, all models, against half the data\t%s s\t%s s\t%s\t≤ 2.2\n' "$name" "${seconds_of[3]}" "${seconds_of[1]}" \
    "$(quotient "${seconds_of[3]}" "${seconds_of[1]}")"
}

recompute() {
  have recompute python3 || return 0
  recompute_on SQLite "sqlite://$folder" | tee "$folder/recompute.lines"
  if have recompute psql && scripts/find-postgres.sh >/dev/null 2>&1; then
    DURABLE=1 scripts/with-postgres.sh "$0" recompute-on-postgres | tee -a "$folder/recompute.lines"
  fi
  grep -P '\t' "$folder/recompute.lines" >>"$folder/table"
}
