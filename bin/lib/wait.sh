# shellcheck shell=bash
# Waiting, always with a deadline, and without tools that only Linux has.

# within SECONDS COMMAND...: tries the command until it succeeds.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        if ((SECONDS >= deadline)); then
            return 1
        fi
        sleep 0.2
    done
}

# limited SECONDS COMMAND...: runs the command, and ends it when it hangs.
limited() {
    local deadline=$((SECONDS + $1)) pid
    shift
    "$@" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            kill -TERM "$pid" 2>/dev/null || true
            sleep 0.5
            kill -KILL "$pid" 2>/dev/null || true
            wait "$pid" 2>/dev/null || true
            return 124
        fi
        sleep 0.1
    done
    wait "$pid"
}

# has_ended PID: whether a process of anybody is gone.
has_ended() {
    ! is_alive "$1"
}

# is_alive PID: whether the process is there and not a zombie.
is_alive() {
    local state
    if [[ -r /proc/$1/stat ]]; then
        # The name in brackets may hold blanks: what follows the last bracket counts.
        { IFS= read -r state <"/proc/$1/stat"; } 2>/dev/null || return 1
        state=${state##*) }
        [[ $state != Z* && -n $state ]]
    else
        state=$(ps -o state= -p "$1" 2>/dev/null) || return 1
        [[ $state != *Z* && -n $state ]]
    fi
}

# port_answers PORT: whether anything on this machine accepts connections there.
port_answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# port_holder PORT: who listens there, as far as this user may see.
port_holder() {
    local found=''
    if command -v lsof >/dev/null; then
        found=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN 2>/dev/null | awk 'NR == 2 { print $1 ", process " $2 }') || true
    fi
    if [[ -z $found ]] && command -v ss >/dev/null; then
        found=$(ss -ltnpH "sport = :$1" 2>/dev/null |
            sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1, process \2/p' | head -n 1) || true
    fi
    printf '%s\n' "${found:-another program}"
}

# lock_take FOLDER SECONDS: one script at a time; a dead holder's lock is taken over.
lock_take() {
    local folder=$1 deadline=$((SECONDS + $2)) holder
    until mkdir "$folder" 2>/dev/null; do
        holder=$(cat "$folder/pid" 2>/dev/null || true)
        if [[ -n $holder ]] && has_ended "$holder"; then
            rm -rf "$folder"
            continue
        fi
        if ((SECONDS >= deadline)); then
            die "waited $2 s for process ${holder:-unknown}, which holds $folder; end it, or remove that folder"
        fi
        sleep 0.2
    done
    printf '%s\n' "$$" >"$folder/pid"
}

lock_release() {
    rm -rf "$1"
}
