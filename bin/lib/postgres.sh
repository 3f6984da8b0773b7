# shellcheck shell=bash
# A private Postgres cluster made from installed binaries: found, laid out,
# started and stopped. Postgres refuses to run as root; root hands the data to
# another user and drops to it.

# Prints the newest folder that has a whole server.
postgres_binaries() {
    local folder link=''
    # A link in PATH is followed: a server finds its files beside itself.
    if link=$(command -v pg_ctl); then
        link=$(dirname "$(readlink -f "$link" 2>/dev/null || printf '%s\n' "$link")")
    fi
    while IFS= read -r folder; do
        if [[ -x $folder/postgres && -x $folder/initdb && -x $folder/pg_ctl ]]; then
            printf '%s\n' "$folder"
            return 0
        fi
    done <<<"$(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin \
        /usr/local/opt/postgresql*/bin /usr/libexec/postgresql* | sort -rV)
$link
/Applications/Postgres.app/Contents/Versions/latest/bin"
    return 1
}

# Installs Debian's package where this user may; else says what to type.
postgres_install() {
    local as_root=() no_cluster=/etc/postgresql-common/createcluster.d/truetape.conf status=0
    if ! command -v apt-get >/dev/null; then
        die "no Postgres server was found; install one and start again: $(postgres_install_command)"
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            die "no Postgres server was found; install one and start again: sudo apt-get install postgresql"
        fi
        as_root=(sudo -n)
    fi
    say "no Postgres server was found: installing Debian's package postgresql"
    # Debian would make and start a cluster of its own; ours is private.
    "${as_root[@]+"${as_root[@]}"}" sh -c "mkdir -p '${no_cluster%/*}' && echo 'create_main_cluster = false' >'$no_cluster'"
    # shellcheck disable=SC2016
    "${as_root[@]+"${as_root[@]}"}" sh -c '
        export DEBIAN_FRONTEND=noninteractive
        get="apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=60"
        $get update && $get install --no-install-recommends postgresql
    ' >"$run/postgres-install.log" 2>&1 </dev/null || status=$?
    "${as_root[@]+"${as_root[@]}"}" rm -f "$no_cluster"
    if ((status != 0)); then
        tail -n 5 "$run/postgres-install.log" >&2
        die "could not install postgresql (the whole story is in $run/postgres-install.log)"
    fi
}

postgres_install_command() {
    if command -v brew >/dev/null || [[ $(uname -s) == Darwin ]]; then
        echo 'brew install postgresql@17'
    elif command -v dnf >/dev/null; then
        echo 'sudo dnf install postgresql-server postgresql-contrib'
    elif command -v pacman >/dev/null; then
        echo 'sudo pacman -S postgresql'
    elif command -v zypper >/dev/null; then
        echo 'sudo zypper install postgresql-server'
    elif command -v apk >/dev/null; then
        echo 'sudo apk add postgresql'
    else
        echo "your system's package of the PostgreSQL server, or Docker with Compose"
    fi
}

# Settles $binaries, installing when there are none.
postgres_settle_binaries() {
    binaries=$(postgres_binaries) || {
        postgres_install
        binaries=$(postgres_binaries) || die "postgresql is installed, but no folder with postgres, initdb and pg_ctl was found"
    }
}

# Settles $home, the folder of the cluster, and $owner, the user it runs as
# (empty: ourselves). A cluster that is already there decides.
postgres_settle_home() {
    local fallback
    fallback=$(postgres_fallback)
    owner=''
    if postgres_is_laid_out "$run/postgres"; then
        home=$run/postgres
    elif postgres_is_laid_out "$fallback"; then
        home=$fallback
    else
        home=''
    fi
    if ((EUID == 0)); then
        owner=$(postgres_unprivileged)
        if [[ -n $home ]]; then
            owner=$(stat -c %U "$home/data" 2>/dev/null || stat -f %Su "$home/data")
        fi
    elif [[ -n $home && ! -O $home/data ]]; then
        die "the database in $home belongs to $(stat -c %U "$home" 2>/dev/null || stat -f %Su "$home"); go on as that user or as root, or set TRUETAPE_RUN to a folder of your own"
    fi
}

postgres_is_laid_out() {
    [[ -f $1/data/PG_VERSION ]]
}

# Where root keeps the cluster when the unprivileged user cannot reach the checkout.
postgres_fallback() {
    printf '/var/lib/truetape/%s/postgres\n' "$(checkout_name)"
}

postgres_unprivileged() {
    if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Runs a command as the user the cluster belongs to.
as_owner() {
    if [[ -z $owner ]]; then
        "$@"
    elif command -v setpriv >/dev/null; then
        setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups -- "$@"
    elif command -v runuser >/dev/null; then
        runuser -u "$owner" -- "$@"
    else
        su -s /bin/sh "$owner" -c 'exec "$@"' sh "$@"
    fi
}

# Chooses the folder of a cluster that is still to be made.
postgres_make_home() {
    [[ -z $home ]] || return 0
    home=$run/postgres
    if ! postgres_can_live_in "$home"; then
        ((EUID == 0)) || die "could not write in $run; set TRUETAPE_RUN to a folder of your own"
        say "the database cannot live in $home (user $owner may not go there): it is kept in $(postgres_fallback)"
        home=$(postgres_fallback)
        postgres_can_live_in "$home" || die "could not make $home for user $owner; set TRUETAPE_RUN to a folder that user may write in"
    fi
}

postgres_can_live_in() {
    mkdir -p "$1" 2>/dev/null || return 1
    if [[ -n $owner ]]; then
        chown "$owner" "$1" && chmod 700 "$1"
        [[ $1 == "$run"/* ]] || chmod a+x "$(dirname "$1")" "$(dirname "$(dirname "$1")")"
    fi
    if ! as_owner test -w "$1" -a -x "$1"; then
        rmdir "$1" 2>/dev/null || true
        return 1
    fi
}

# Makes the cluster. What an interrupted attempt left is thrown away.
postgres_lay_out() {
    postgres_is_laid_out "$home" && return 0
    say "making a Postgres cluster in $home"
    as_owner rm -rf "$home/data.new" "$home/password"
    # shellcheck disable=SC2016
    printf '%s\n' "$pg_password" | as_owner sh -c 'umask 077 && cat >"$1"' sh "$home/password"
    (cd "$home/.." && as_owner "$binaries/initdb" --pgdata "$home/data.new" --username "$pg_user" \
        --pwfile "$home/password" --auth scram-sha-256 --encoding UTF8 --locale C --data-checksums) \
        >"$run/initdb.log" 2>&1 </dev/null || {
        tail -n 5 "$run/initdb.log" >&2
        die "could not make the cluster (the whole story is in $run/initdb.log)"
    }
    as_owner rm -f "$home/password"
    as_owner mv "$home/data.new" "$home/data"
}

# The process of our cluster, if it runs. A process that only inherited the
# number of a dead server does not count.
postgres_pid() {
    local pid command
    [[ -n $home ]] || return 1
    pid=$(head -n 1 "$home/data/postmaster.pid" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] && is_alive "$pid" || return 1
    command=$({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null || ps -o command= -p "$pid") || return 1
    [[ $command == *"$home/data"* ]] || return 1
    printf '%s\n' "$pid"
}

postgres_running_port() {
    sed -n 4p "$home/data/postmaster.pid"
}

postgres_accepts() {
    [[ $(sed -n '8s/ *$//p' "$home/data/postmaster.pid" 2>/dev/null) == ready ]] && port_answers "$pg_port"
}

# Starts the cluster. Right after a server was killed, its last children may
# still hold the shared memory for a moment: then it is tried again.
postgres_start() {
    if ! postgres_pid >/dev/null && [[ -f $home/data/postmaster.pid ]]; then
        say "the database did not end properly last time; it recovers by itself"
        as_owner rm -f "$home/data/postmaster.pid"
    fi
    within 30 postgres_try_start || {
        tail -n 5 "$home/postgres.log" >&2 || true
        die "Postgres did not start (the whole story is in $home/postgres.log)"
    }
    within 60 postgres_accepts || die "Postgres did not accept connections on port $pg_port within 60 s (see $home/postgres.log)"
}

postgres_try_start() {
    # Durable (fsync and synchronous_commit are on by default), loopback only.
    (cd "$home" && as_owner "$binaries/pg_ctl" start --silent --wait --timeout 60 --pgdata "$home/data" --log "$home/postgres.log" \
        --options "-p $pg_port -c listen_addresses=localhost -c unix_socket_directories='' -c max_wal_size=2GB -c shared_buffers=256MB -c checkpoint_timeout=10min") \
        >/dev/null 2>&1 </dev/null
}

postgres_stop() {
    local pid=$1
    (cd "$home" && as_owner "$binaries/pg_ctl" stop --silent --wait --timeout 15 --mode fast --pgdata "$home/data") >/dev/null 2>&1 ||
        (cd "$home" && as_owner "$binaries/pg_ctl" stop --silent --wait --timeout 10 --mode immediate --pgdata "$home/data") >/dev/null 2>&1 || true
    within 5 has_ended "$pid" || die "Postgres (process $pid) did not stop; see $home/postgres.log"
}
