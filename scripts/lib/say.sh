# How set-up speaks: one line per step on stderr, details in a log, errors with a remedy.
# shellcheck shell=bash

readonly speaker=${speaker:-setup}
readonly log=${log:-$checkout/.kai/setup.log}

start_log() { printf '== %s\n' "$(date --iso-8601=seconds)" >"$log"; }

say() { printf '%s: %s\n' "$speaker" "$*" >&2; }

# fail WHAT REMEDY
fail() {
    printf '%s: %s\n  %s\n' "$speaker" "$1" "$2" >&2
    exit 1
}

# quietly COMMAND...: into the log
quietly() {
    printf '+ %s\n' "$*" >>"$log"
    "$@" >>"$log" 2>&1
}

# fail_with_log WHAT REMEDY: and the end of the log, where the reason is
fail_with_log() {
    printf '%s: %s\n' "$speaker" "$1" >&2
    tail -n 12 "$log" | sed 's/^/  | /' >&2
    printf '  %s\n  (the whole log: %s)\n' "$2" "$log" >&2
    exit 1
}

# need_space DIRECTORY MEGABYTES
need_space() {
    local free
    free=$(df --output=avail -m "$1" | tail -n 1)
    [ "$free" -ge "$2" ] ||
        fail "$1 has $((free)) MB free, set-up needs $2 MB" "free some space there, then run it again"
}
