# shellcheck shell=bash
# What can be asked of what runs: the end of bin/up's start.

# The tickers worth asking for, one a line; asks the api until it knows one.
tickers_known() {
    if [[ -n ${TICKERS:-} ]]; then
        tr ',' '\n' <<<"$TICKERS"
    else
        http_get "$PORT" /tickers | tr ',{' '\n' | sed -n 's/.*"ticker": *"\([^"]*\)".*/\1/p' | grep .
    fi
}

# Prints the links. In a tape all instants asked for lie inside it.
links_print() {
    local ticker=$1 api=http://127.0.0.1:$PORT ts hasura tables="'$PG_STRING?options=-csearch_path%3Dcrypto_market'"
    # A URL of the user's own may hold more, and a password nobody should read here.
    # shellcheck disable=SC2016
    [[ -z $pg_given ]] || tables='"$PG_STRING"'
    ts=$((($(date +%s) - 60) * 1000))
    # The tape of a market of the user's own begins now, unless told otherwise.
    [[ $market != own ]] || ts=$(($(date +%s) * 1000))
    [[ $market != recorded ]] || ts=$(((tape_first + tape_last) / 2))
    hasura="with Docker, instead of this: docker compose up --build, then http://localhost:${HASURA_PORT:-61790}"
    if "$here/start_db" status | grep -q docker-compose; then
        hasura="docker compose up --detach hasura, then http://localhost:${HASURA_PORT:-61790}"
    fi
    cat <<END

  Swagger UI          $api/swagger-ui/
  latest figure       curl '$api/latest?ticker=$ticker'
  a past figure       curl '$api/historical?ticker=$ticker&ts=$ts'
  all tickers         curl '$api/tickers'
  the feed's faults   curl '$api/quality?ticker=$ticker'
  health              curl '$api/health'
  worker's metrics    curl 'http://127.0.0.1:$WORKER_PORT/metrics'
END
    if [[ $market != own ]]; then
        echo "  the practice market curl 'http://127.0.0.1:$VENUE_PORT/'"
    fi
    cat <<END
  look into tables    psql $tables -c 'select * from crypto_market.latest_vwap_history'
  Hasura console      $hasura

END
}
