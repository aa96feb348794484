# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the lints share. Each looks at the files that git does not ignore, or at all when there is no git
# (a source archive), prints "file:line: what is wrong", and ends by lint_done.
set -eu
LC_ALL=C
export LC_ALL
cd "${LINT_ROOT:-$(dirname "${BASH_SOURCE[0]}")/../..}" # another root: selftest.sh
n_findings=0

# files PATTERN...: project files whose path matches one of the shell patterns.
files() {
    local path pattern
    { git ls-files -co --exclude-standard 2>/dev/null || find . -type f -not -path './build*' -not -path './.git/*' |
        sed 's|^\./||'; } | sort | while read -r path; do
        [ -f "$path" ] || continue
        for pattern in "$@"; do
            # shellcheck disable=SC2254
            case $path in $pattern) printf '%s\n' "$path"; break ;; esac
        done
    done
}

finding() {
    n_findings=$((n_findings + 1))
    printf '%s\n' "$*"
}

# Lines of standard input are findings.
findings() {
    local line
    while IFS= read -r line; do finding "$line"; done
}

lint_done() {
    if [ "$n_findings" -gt 0 ]; then
        printf '%d finding(s): %s\n' "$n_findings" "$1"
        exit 1
    fi
    exit 0
}

# ctest's sign for a test that cannot run here (SKIP_RETURN_CODE).
skip() {
    printf 'skipped: %s\n' "$1"
    exit 77
}
