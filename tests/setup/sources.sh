#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Which package sources set-up derives from a machine's own (tools/setup/programs.sh), in both
# notations; and reading the configure line that Unbound was built with (tools/setup/unbound.sh).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
SEKISHO_PREFIX=$work/prefix
for script in common packages programs unbound; do
    # shellcheck disable=SC1090
    . "$here/../../tools/setup/$script.sh"
done
# shellcheck disable=SC2317
distribution_suite() { echo bookworm; }
aside=$work/aside
mkdir -p "$aside/sources"
failed=0

same() {
    if [ "$2" != "$3" ]; then
        failed=1
        printf 'FAILED %s\n--- wanted\n%s\n--- got\n%s\n' "$1" "$2" "$3"
    fi
}

# derived LABEL SUITE FILE TEXT WANTED: the file below /etc/apt, the sources made of it.
derived() {
    rm -rf -- "${work:?}/etc"
    mkdir -p "$work/etc/sources.list.d"
    printf '%b' "$4" >"$work/etc/$3"
    APT_ETC=$work/etc derive_sources "$2"
    same "$1" "$(printf '%b' "$5")" "$(cat "$aside"/sources/*)"
}

# both LINE: as binary and as source entry.
both() { printf 'deb %s\ndeb-src %s' "$1" "$1"; }

derived "classic entry" bookworm sources.list 'deb http://a/d bookworm main\n' \
    "$(both 'http://a/d bookworm main')"
derived "twice the same" bookworm sources.list \
    'deb http://a/d bookworm main\ndeb-src http://a/d bookworm main\n' \
    "$(both 'http://a/d bookworm main')"
derived "options with blanks" bookworm sources.list.d/a.list \
    'deb [ arch=amd64 signed-by=/k ] http://a/d bookworm main\n' \
    "$(both '[ arch=amd64 signed-by=/k ] http://a/d bookworm main')"
derived "updates and the old name of security" bookworm sources.list \
    'deb http://a/s bookworm/updates main\n' "$(both 'http://a/s bookworm/updates main')"
derived "others left out" bookworm sources.list \
    '# deb http://c/d bookworm main\ndeb http://b/d bookworm-backports main
deb http://v/x stable-vendor main\ndeb http://n/d nodistro main\ndeb http://a/d bookworm main\n' \
    "$(both 'http://a/d bookworm main')"
derived "named by state" bookworm sources.list 'deb http://a/d stable main\n' \
    "$(both 'http://a/d bookworm main')"
derived "another release, without updates" trixie sources.list \
    'deb http://a/d bookworm main\ndeb http://a/s bookworm-security main\n' \
    "$(both 'http://a/d trixie main')"
derived "stanza" bookworm sources.list.d/debian.sources \
    'Types: deb\n# who\nURIs: http://a/d\nSuites: bookworm bookworm-updates\nComponents: main\n' \
    'Types: deb deb-src\nURIs: http://a/d\nSuites: bookworm bookworm-updates\nComponents: main'
derived "stanza with folded suites and a key" bookworm sources.list.d/debian.sources \
    'Types: deb\nURIs: http://a/d\nSuites:\n bookworm\n bookworm-backports\nSigned-By:\n KEY\n .\n END' \
    'Types: deb deb-src\nURIs: http://a/d\nSuites:\n bookworm\nSigned-By:\n KEY\n .\n END'
derived "switched-off and foreign stanzas" bookworm sources.list.d/debian.sources \
    'Enabled: no\nTypes: deb\nURIs: http://off/\nSuites: bookworm\n
Types: deb\nURIs: http://v/\nSuites: any\n
Types: deb\nURIs: http://a/d\nSuites: bookworm\n' \
    'Types: deb deb-src\nURIs: http://a/d\nSuites: bookworm'
derived "stanza for another release" trixie sources.list.d/debian.sources \
    'Types: deb\nURIs: http://a/d\nSuites: bookworm bookworm-updates\n' \
    'Types: deb deb-src\nURIs: http://a/d\nSuites: trixie'

rm -rf -- "${work:?}/etc"
mkdir -p "${work:?}/etc"
message=$( (APT_ETC=$work/etc derive_sources bookworm) 2>&1) && failed=1
case $message in "error: no package source"*) ;; *) same "no source" "an error" "$message" ;; esac

# The line stands among other bytes, and only once.
printf 'ELF\0\1--help\0%s\0 --with-x\n\0' '--build=x --prefix=/usr CFLAGS=-O2 -g --with-chroot-dir=' \
    >"$work/program"
same "configure line" '--build=x --prefix=/usr CFLAGS=-O2 -g --with-chroot-dir=' \
    "$(configure_line "$work/program")"

# Its words, as configure gets them: a flag's blanks stay inside the word.
mkdir -p "$work/dir/src"
# shellcheck disable=SC2016
printf '#!/bin/sh\nfor w in "$@"; do printf "<%%s>" "$w"; done\n' >"$work/dir/src/configure"
chmod +x "$work/dir/src/configure"
if command -v dpkg-buildflags >/dev/null; then
    # shellcheck disable=SC2016
    same "words" \
        "<--includedir=\${prefix}/include><CFLAGS=-O2 -g><--with-chroot-dir=><--prefix=$work/dir><--sbindir=$work/dir/sbin><--with-dynlibmodule>" \
        "$( (configure_unbound "$work/dir" '--includedir=${prefix}/include CFLAGS=-O2 -g --with-chroot-dir='))"
fi

# Ports: a free one becomes taken.
# shellcheck source=../../tools/setup/demo.sh
. "$here/../../tools/setup/demo.sh"
if command -v python3 >/dev/null; then
    coproc python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True); sys.stdin.read()'
    # shellcheck disable=SC2154
    read -r port <&"${COPROC[0]}"
    port_is_taken "$port" || same "taken port $port" taken free
    pid=$COPROC_PID
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    if port_is_taken "$port"; then same "free port $port" free taken; fi
fi
exit "$failed"
