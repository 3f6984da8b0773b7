# shellcheck shell=bash
# How the scripts speak: what they do goes to standard error, so that an
# answer on standard output can be piped.

program=$(basename "$0")

# The programs' colors are for terminals.
if [[ ! -t 1 || ! -t 2 ]]; then
    export NO_COLOR=1
fi

say() {
    printf '%s: %s\n' "$program" "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# Prints the comment a script opens with: its help.
say_help() {
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$0"
}
