# shellcheck shell=bash
# The environment the scripts and programs share. What the user set wins, then
# .env, then the defaults.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

# Settles $run, the folder for what a run leaves: .run of the checkout, or a
# folder of this user when the checkout is somebody else's.
run_settle() {
    run=${TRUETAPE_RUN:-$root/.run}
    [[ $run == /* ]] || run=$PWD/$run
    mkdir -p "$run" 2>/dev/null || true
    if [[ ! -w $run && -z ${TRUETAPE_RUN:-} ]]; then
        run=${XDG_STATE_HOME:-${HOME:-/tmp}/.local/state}/truetape/$(checkout_name)
        mkdir -p "$run" 2>/dev/null || true
    fi
    [[ -w $run ]] || die "could not write in $run; set TRUETAPE_RUN to a folder of your own"
    run=$(cd "$run" && pwd -P)
}

checkout_name() {
    printf '%s-%s\n' "$(basename "$root")" "$(printf '%s' "$root" | cksum | cut -d ' ' -f 1)"
}

# Reads NAME=value lines of .env for names that are not set, as the programs do.
env_read() {
    local line name value
    [[ -r $root/.env ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line#export }
        if [[ $line =~ ^[[:space:]]*([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]]; then
            name=${BASH_REMATCH[1]}
            value=${BASH_REMATCH[2]%$'\r'}
            if [[ $value =~ ^\"(.*)\"[[:space:]]*(#.*)?$ || $value =~ ^\'(.*)\'[[:space:]]*(#.*)?$ ]]; then
                value=${BASH_REMATCH[1]}
            else
                value=${value%%[[:space:]]#*}
                value=${value%"${value##*[![:space:]]}"}
            fi
            if [[ -z ${!name+set} ]]; then
                export "$name=$value"
            fi
        fi
    done <"$root/.env"
}

# Settles PG_STRING and its parts: pg_user, pg_password, pg_host, pg_port, pg_database.
# pg_given tells whether the user named the database.
# shellcheck disable=SC2034 # read by those who source this
database_settle() {
    local rest authority
    pg_given=${PG_STRING:+yes}
    PG_STRING=${PG_STRING:-postgres://postgres:postgres@localhost:${DB_PORT:-61791}/${DB_NAME:-crypto_market}}
    if [[ ! $PG_STRING =~ ^postgres(ql)?://([^/]+)/([^?]+)(\?.*)?$ ]]; then
        die "PG_STRING is '$PG_STRING'; accepted here is postgres://USER:PASSWORD@HOST:PORT/DATABASE"
    fi
    authority=${BASH_REMATCH[2]}
    pg_database=$(url_decode "${BASH_REMATCH[3]}")
    rest=${authority##*@}
    pg_user=postgres
    pg_password=''
    if [[ $authority == *@* ]]; then
        pg_user=$(url_decode "$(cut -d: -f1 <<<"${authority%@*}")")
        [[ ${authority%@*} == *:* ]] && pg_password=$(url_decode "$(cut -d: -f2- <<<"${authority%@*}")")
    fi
    pg_port=5432
    if [[ $rest =~ ^(.*):([0-9]+)$ ]]; then
        rest=${BASH_REMATCH[1]}
        pg_port=${BASH_REMATCH[2]}
    fi
    pg_host=$rest
    if [[ -n ${DB_PORT:-} && $DB_PORT != "$pg_port" ]]; then
        die "DB_PORT is $DB_PORT but PG_STRING says port $pg_port; set one of them"
    fi
    export PG_STRING
}

url_decode() {
    local text=${1//\\/\\\\}
    printf '%b' "${text//%/\\x}"
}

database_is_local() {
    [[ $pg_host == localhost || $pg_host == 127.0.0.1 || $pg_host == '[::1]' ]]
}

# The database as it may be shown: without its password.
database_shown() {
    printf 'postgres://%s@%s:%s/%s\n' "$pg_user" "$pg_host" "$pg_port" "$pg_database"
}
