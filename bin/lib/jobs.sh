# shellcheck shell=bash
# Programs that run beside each other in one terminal: their lines under their
# names, all of them stopped together, none left behind.

job_names=()
job_pids=()
job_printers=()

# job_start NAME COMMAND...: the command is one program that starts no others.
job_start() {
    local name=$1 pipe
    shift
    pipe=$run/$name.pipe
    rm -f "$pipe"
    mkfifo "$pipe"
    print_lines "$name" <"$pipe" &
    job_printers+=("$!")
    # Should we be killed outright, Linux tells them to stop.
    if setpriv --pdeathsig TERM true 2>/dev/null; then
        set -- setpriv --pdeathsig TERM -- "$@"
    fi
    "$@" >"$pipe" 2>&1 </dev/null &
    job_pids+=("$!")
    job_names+=("$name")
}

# Puts the name before every line. It ends when its program does, not by Ctrl-C.
print_lines() {
    local line before
    before=$(printf '%-6s' "$1")
    if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
        before=$'\033[36m'$before$'\033[0m'
    fi
    trap '' INT TERM HUP
    while IFS= read -r line || [[ -n $line ]]; do
        printf '%s | %s\n' "$before" "$line"
    done
}

# Whether any job ended; then $ended_name and $ended_status tell which and how.
job_has_ended() {
    local at
    for at in "${!job_pids[@]}"; do
        if has_ended "${job_pids[at]}"; then
            ended_name=${job_names[at]}
            ended_status=0
            wait "${job_pids[at]}" 2>/dev/null || ended_status=$?
            return 0
        fi
    done
    return 1
}

# Tells every job to stop, the last started first; who does not listen is ended.
jobs_stop() {
    local at
    for ((at = ${#job_pids[@]} - 1; at >= 0; at--)); do
        job_stop "${job_names[at]}" "${job_pids[at]}" "${job_printers[at]}"
    done
    job_names=() job_pids=() job_printers=()
}

job_stop() {
    local name=$1 pid=$2 printer=$3
    kill -TERM "$pid" 2>/dev/null || true
    if ! within 6 has_ended "$pid"; then
        say "$name did not stop within 6 s: ending it"
        kill -KILL "$pid" 2>/dev/null || true
    fi
    wait "$pid" 2>/dev/null || true
    within 2 has_ended "$printer" || kill -KILL "$printer" 2>/dev/null || true
    rm -f "$run/$name.pipe"
}
