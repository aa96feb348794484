# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What every set-up script shares: messages, logs of long steps, locations.
# Sourced by tools/quickstart and tests/run, which set -eu.

# What is made here is read by the resolver's user and by apt's, whatever the umask of root.
umask 022

# All that set-up makes lives below this folder, so that removing it undoes it.
SEKISHO_PREFIX=${SEKISHO_PREFIX:-/opt/sekisho}
SETUP_LOG=$SEKISHO_PREFIX/log

# stderr is talk: stdout stays free for the output of the commands that are shown.
say() { printf '%s\n' "$*" >&2; }
step() { printf '==> %s\n' "$*" >&2; }
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '       %s\n' "$line" >&2; done
    exit 1
}

require_root() {
    [ "$(id -u)" -eq 0 ] || fail "this needs root: sudo $0"
}

require_debian() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        fail "no apt-get here: this script sets up Debian and its derivatives" \
            "README.md, \"Loading into your Unbound\", has the steps for other systems"
    fi
}

# Where the words of a long command go: one log a step, kept until the step runs again.
log_of() { printf '%s/%s.log' "$SETUP_LOG" "$1"; }

# run_logged LOG TEXT COMMAND...: runs COMMAND quietly, its words into LOG's file, with a sign of life.
# On failure: the last 20 lines, and where the rest is. Returns COMMAND's exit status.
run_logged() {
    local log text pid started status seconds=0
    mkdir -p "$SETUP_LOG"
    log=$(log_of "$1")
    text=$2
    shift 2
    # A process group of its own (-m), so that an interrupted step leaves no process behind.
    set -m
    "$@" </dev/null >"$log" 2>&1 &
    pid=$!
    set +m
    started=$SECONDS
    trap 'kill -- "-$pid" 2>/dev/null || true; exit 130' INT TERM
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        seconds=$((SECONDS - started))
        show_progress "$text" "$seconds"
    done
    trap - INT TERM
    status=0
    wait "$pid" || status=$?
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    if [ "$status" -ne 0 ]; then
        say "    $text: FAILED (exit $status) after $seconds s; the last lines of $log:"
        tail -n 20 "$log" | sed 's/^/    | /' >&2
        return "$status"
    fi
    say "    $text: done in $seconds s"
}

# On a terminal a line that counts; in a log one line each half minute.
progress_shown=-1
show_progress() {
    if [ -t 2 ]; then
        printf '\r\033[K    %s ... %s s' "$1" "$2" >&2
    elif [ "$2" -gt 0 ] && [ $(($2 % 30)) -eq 0 ] && [ "$progress_shown" != "$1$2" ]; then
        progress_shown=$1$2
        say "    $1 ... $2 s"
    fi
}

# Processors to build on.
n_jobs() { getconf _NPROCESSORS_ONLN; }
