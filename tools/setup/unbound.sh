# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# An Unbound that can load modules. Debian's cannot (built without dynlib), so its own source package is
# built again with its own configure line plus --with-dynlibmodule, into a prefix of its own. The module
# needs the configured source tree as well: dynlib has no installed headers, and the layout of structs
# depends on config.h. Needs common.sh, packages.sh, programs.sh.

# setup_unbound [SUITE]: sets UNBOUND (program), UNBOUND_SRC (configured tree), UNBOUND_VERSION. Without
# SUITE, what the environment or the system has is taken if it can load modules. With SUITE (another
# release of the distribution): returns 1 if that cannot be had. Built once; then it takes no time.
setup_unbound() {
    local suite=${1:-} own link given=
    own=$(distribution_suite)
    if [ -z "$suite" ]; then
        given=${UNBOUND:-}
        if [ -n "${UNBOUND_SRC:-}" ] && [ -n "$given" ]; then
            has_dynlib "$given" || fail "$given cannot load modules (unbound -V lists no dynlib)"
            [ -e "$UNBOUND_SRC/config.h" ] || fail "$UNBOUND_SRC is not configured (no config.h)"
            UNBOUND_VERSION=$(version_of "$given")
            say "    Unbound $UNBOUND_VERSION: $given, as given"
            return 0
        fi
        if [ -n "$given" ]; then
            has_dynlib "$given" || fail "$given cannot load modules (unbound -V lists no dynlib)"
        elif [ -x /usr/sbin/unbound ] && has_dynlib /usr/sbin/unbound; then
            given=/usr/sbin/unbound
        fi
    fi
    link=$SEKISHO_PREFIX/unbound-${suite:-${given:+system-}$own}
    if ! is_built "$link" "$given"; then
        if [ -n "$suite" ] && [ "$suite" != "$own" ]; then
            # Not everybody can reach the other release: the caller decides.
            (build_unbound "$suite" "$link" '') || return 1
        else
            (build_unbound "$own" "$link" "$given") || exit 1
        fi
    fi
    UNBOUND_SRC=$(readlink -f "$link")/src
    UNBOUND=${given:-$(readlink -f "$link")/sbin/unbound}
    UNBOUND_VERSION=$(version_of "$UNBOUND")
    say "    Unbound $UNBOUND_VERSION with dynlib: $UNBOUND"
}

has_dynlib() { "$1" -V 2>/dev/null | grep -q '^Linked modules:.* dynlib'; }
version_of() { "$1" -V 2>/dev/null | sed -n 's/^Version //p'; }

# The stamp is written last: an interrupted build does not count. A system's Unbound that was replaced
# since does not fit its headers any more.
is_built() {
    [ -e "$1/built" ] || return 1
    [ -z "$2" ] || [ "$(cat "$1/built")" = "$(configure_line "$2")" ]
}

# The words of `unbound -V`, read from the file: another release's program may not run here.
configure_line() {
    LC_ALL=C grep -aoE -m1 -- '--(build|prefix|host)=[[:print:]]*--[[:print:]]*' "$1" | head -n 1
}

# build_unbound SUITE LINK GIVEN: GIVEN empty builds the program; else only configures GIVEN's headers.
# In a subshell: it ends by fail.
build_unbound() {
    local suite=$1 link=$2 given=$3 line version dir
    step "An Unbound that can load modules (once; about two minutes on two processors)"
    need_packages "$PACKAGES_UNBOUND"
    aside=
    trap aside_close EXIT
    aside_open "$suite"
    run_logged unbound-fetch "fetching the source package of $suite" fetch_unbound || fail \
        "the source package of unbound could not be fetched from the configured package sources" \
        "check the network; without it, give your own: UNBOUND=<program> UNBOUND_SRC=<its tree> $0"
    version=$(sed -n 's/^Version: //p' "$aside"/get/unbound_*.dsc | head -n 1)
    line=$(configure_line "${given:-$aside/program/usr/sbin/unbound}")
    [ -n "$line" ] || fail "the configure line of unbound was not found in its program"
    dir=$SEKISHO_PREFIX/unbound-$version${given:+-headers}
    rm -rf -- "$dir"
    mkdir -p "$dir"
    run_logged unbound-unpack "unpacking Unbound $version" \
        dpkg-source --no-check -x "$aside"/get/unbound_*.dsc "$dir/src" || fail "damaged source package"
    if [ -n "$given" ]; then same_version "$given" "$dir/src"; fi
    run_logged unbound-configure "configuring Unbound $version" configure_unbound "$dir" "$line" || fail \
        "Unbound could not be configured" "the log names what is missing"
    if [ -z "$given" ]; then
        run_logged unbound-build "building Unbound $version" make_unbound "$dir" || fail \
            "Unbound could not be built" "enough memory and disk? then please report the log"
        has_dynlib "$dir/sbin/unbound" || fail "the Unbound just built has no dynlib"
    fi
    printf '%s\n' "$line" >"$dir/built"
    ln -sfn "$dir" "$link"
}

# The newest version that is really there: for a while after an update a mirror's index can be ahead of
# its files. The program first, as the source must be of the very version that apt would install.
fetch_unbound() {
    local version source
    aside_apt update || return 1
    cd "$aside/get" || return 1
    for version in $(apt-cache -c "$aside/apt.conf" madison unbound |
        awk '$NF == "Packages" && !seen[$3]++ { print $3 }'); do
        rm -rf -- "$aside/program" unbound_*
        aside_apt download "unbound=$version" || continue
        dpkg-deb -x unbound_*.deb "$aside/program" || return 1
        # shellcheck disable=SC2016
        source=$(dpkg-deb --showformat '${source:Version}' -W unbound_*.deb)
        aside_apt source --download-only --only-source "unbound=$source" || continue
        return 0
    done
    return 1
}

same_version() {
    local tree
    tree=$(sed -n 's/^PACKAGE_VERSION=.\(.*\).$/\1/p' "$2/configure")
    [ "$(version_of "$1")" = "$tree" ] || fail \
        "$1 is version $(version_of "$1"), the distribution's source is $tree" \
        "give the tree it was built from: UNBOUND=$1 UNBOUND_SRC=<tree> $0"
}

# The distribution's line and compiler flags; of the paths only the prefix changes, so that everything
# that was not said otherwise (configuration, pid file, root key) is where the distribution has it.
# A build-id: the module recognises by it the very program that it was built for. Flags go by the
# environment: `unbound -V` shows the line without quotes, and this one may be read again.
configure_unbound() {
    local dir=$1 word
    local -a words=() line
    read -r -a line <<<"$2"
    for word in "${line[@]}"; do
        case $word in
        --* | [A-Z]*=*) words+=("$word") ;;
        *) words[-1]+=" $word" ;; # the rest of a quoted CFLAGS=-O2 -g
        esac
    done
    eval "$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=sh)"
    export LDFLAGS="$LDFLAGS -Wl,--build-id=sha1"
    cd "$dir/src" || return 1
    # The distribution's python3: another one first in PATH would be linked in.
    PYTHON=/usr/bin/python3 PYTHON_VERSION=$(/usr/bin/python3 -c \
        'import sys; print("%d.%d" % sys.version_info[:2])') \
        ./configure "${words[@]}" --prefix="$dir" --sbindir="$dir/sbin" --with-dynlibmodule
}

make_unbound() {
    cd "$1/src" || return 1
    make -j"$(n_jobs)" unbound unbound-checkconf unbound-control || return 1
    mkdir -p "$1/sbin"
    install -m 755 unbound unbound-checkconf unbound-control "$1/sbin/"
}

# setup_testbound: sets TESTBOUND, the program of $UNBOUND_SRC that plays Unbound's replay scenarios. It
# exports its symbols (-rdynamic), which Unbound's makefile does for the daemon only: a module needs them.
setup_testbound() {
    TESTBOUND=$UNBOUND_SRC/testbound
    [ ! -e "$TESTBOUND" ] || return 0
    run_logged unbound-testbound "building Unbound's testbound" make_testbound || fail \
        "testbound could not be built"
}

make_testbound() {
    local flags
    flags=$(sed -n 's/^LDFLAGS=//p' "$UNBOUND_SRC/Makefile")
    make -C "$UNBOUND_SRC" -j"$(n_jobs)" testbound LDFLAGS="$flags -rdynamic"
}
