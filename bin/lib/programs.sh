# shellcheck shell=bash
# Where our programs are, and building them.
# TRUETAPE_BIN names a folder of programs that are already built.

programs_folder() {
    if [[ -n ${TRUETAPE_BIN:-} ]]; then
        printf '%s\n' "$TRUETAPE_BIN"
    else
        printf '%s/release\n' "${CARGO_TARGET_DIR:-${CARGO_BUILD_TARGET_DIR:-$root/target}}"
    fi
}

# programs_build NAME...: builds what is missing or out of date.
programs_build() {
    local name folder missing='' packages=()
    folder=$(programs_folder)
    for name in "$@"; do
        [[ -x $folder/$name ]] || missing+=" $name"
        packages+=(-p "$name")
    done
    if [[ -n ${TRUETAPE_BIN:-} || -n ${no_build:-} ]]; then
        [[ -z $missing ]] || die "$folder has no program$missing; build with: cargo build --release${missing// / -p }"
        return 0
    fi
    if ! command -v cargo >/dev/null; then
        die "cargo was not found; install Rust (https://rustup.rs, or your system's package) and start again"
    fi
    if [[ -n $missing ]]; then
        say "building$missing; the first build takes up to a quarter of an hour on two cores"
    fi
    (cd "$root" && cargo build --release --locked "${packages[@]}") || die "could not build $*; the compiler's message is above"
}
