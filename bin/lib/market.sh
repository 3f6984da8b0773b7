# shellcheck shell=bash
# Which market bin/up follows, and what venue and worker are told for it.
# Reads the options $tape $live $faults $seed $speed $market_named.

# Settles $market: generated, recorded, replayed, or own.
market_choose() {
    market=generated
    if [[ -n $tape ]]; then
        market=recorded
        [[ -z $live ]] || market=replayed
    elif [[ -n $market_named ]]; then
        export MARKET=$market_named
        market=own
    elif [[ -n ${MARKET_WS_URL:-}${MARKET_REST_URL:-} || ${MARKET:-generic} != generic ]]; then
        market=own
    fi
    if [[ $market == own && ${MARKET:-generic} == generic ]] && [[ -z ${MARKET_WS_URL:-} || -z ${MARKET_REST_URL:-} ]]; then
        die "your own market needs both MARKET_WS_URL (now '${MARKET_WS_URL:-}') and MARKET_REST_URL (now '${MARKET_REST_URL:-}')"
    fi
    if [[ $market == own && -n $faults$seed ]]; then
        die "--faults and --seed are about the practice market; ${MARKET:-generic} is your own"
    fi
    if [[ $market == recorded && -n $faults ]]; then
        die "--faults is about a socket, and what is served as recorded is all in the past: add --live"
    fi
}

# Settles $venue_arguments, $DB_NAME, $market_says and the worker's variables.
# Tapes and other seeds have databases of their own: their trade ids are the
# same as those of other runs, the trades are not.
market_settle() {
    local tape_name='' named
    venue_arguments=(--port "$VENUE_PORT" --seed "${seed:-1}")
    if [[ $market == own ]]; then
        market_says="${MARKET:-generic}"
        if [[ -n ${MARKET_WS_URL:-}${MARKET_REST_URL:-} ]]; then
            market_says+=" at ${MARKET_WS_URL:-its own WebSocket} and ${MARKET_REST_URL:-its own REST endpoint}"
        elif named=$(compgen -e | grep -E '^MARKET_(WS|REST)_URL_.' | paste -s -d ' '); [[ -n $named ]]; then
            market_says+=" at the addresses in $named"
        else
            market_says+=" at its own addresses"
        fi
        return 0
    fi
    export MARKET=generic EXCHANGE=${EXCHANGE:-practice}
    export MARKET_WS_URL="ws://127.0.0.1:$VENUE_PORT/stream" MARKET_REST_URL="http://127.0.0.1:$VENUE_PORT/trades"
    if [[ -n $tape ]]; then
        tape_describe
        tape_name=$(basename "$tape" | sed 's/\..*//' | tr '[:upper:]' '[:lower:]' | tr -c '[:lower:][:digit:]\n' '_' | cut -c 1-36)_$(cksum <"$tape" | cut -d ' ' -f 1)
        export TICKERS=${TICKERS:-$tape_tickers} RETENTION=${RETENTION:-forever}
        venue_arguments+=(--tape "$tape")
    fi
    case $market in
        generated)
            DB_NAME=${DB_NAME:-crypto_market}
            [[ ${seed:-1} == 1 || $DB_NAME != crypto_market ]] || DB_NAME=practice_seed_$seed
            export BACKFILL_FROM=${BACKFILL_FROM:--10m}
            venue_arguments+=(--faults "${faults:-0.05}")
            market_says="a generated practice market; each kind of socket fault strikes ${faults:-0.05} of the trades"
            ;;
        recorded)
            DB_NAME=${DB_NAME:-tape_$tape_name}
            # The minute before the first trade.
            export BACKFILL_FROM=${BACKFILL_FROM:-$(((tape_first - 1) / 60000 * 60000))} MARKET_CLOCK=${MARKET_CLOCK:-market}
            # This venue is ours and may be asked as often as it answers.
            export REST_RATE=${REST_RATE:-10000}
            venue_arguments+=(--as-recorded)
            market_says="the tape $tape as it was recorded ($tape_trades trades of $tape_tickers); all of it is confirmed from REST"
            ;;
        replayed)
            DB_NAME=${DB_NAME:-live_$tape_name}
            DB_FRESH=yes
            export BACKFILL_FROM=${BACKFILL_FROM:--1m}
            venue_arguments+=(--faults "${faults:-0.05}" --speed "${speed:-1}")
            market_says="the tape $tape happening again from now on, ${speed:-1} times as fast; each kind of socket fault strikes ${faults:-0.05} of the trades"
            ;;
    esac
}

# Settles $tape_tickers, $tape_first, $tape_last and $tape_trades from what the venue says of the file.
tape_describe() {
    local json
    say "reading $tape"
    json=$("$programs/venue" describe "$tape") || die "could not read the tape $tape; the venue's message is above"
    json=$(tr -d '\n' <<<"$json")
    tape_tickers=$(sed 's/.*"tickers": *\[\([^]]*\)\].*/\1/; s/[" ]//g' <<<"$json")
    tape_first=$(json_number first_ts "$json")
    tape_last=$(json_number last_ts "$json")
    tape_trades=$(json_number trades "$json")
    [[ -n $tape_tickers && -n $tape_first && -n $tape_last ]] || die "the tape $tape holds no trade"
}

# json_number NAME JSON
json_number() {
    sed -n "s/.*\"$1\": *\([0-9][0-9]*\).*/\1/p" <<<"$2"
}
