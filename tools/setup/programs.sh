# shellcheck shell=bash disable=SC2016,SC2030,SC2031
# SPDX-License-Identifier: BSD-3-Clause
# Fetching from the distribution without changing the machine: source packages, and programs whose
# package would start a service. A folder of its own holds apt's sources, lists and cache meanwhile, so
# that /etc/apt and /var/lib/apt stay as they are. No host is named here: the sources are those that
# the machine has. Needs common.sh and packages.sh.

# aside_open SUITE: make the folder ($aside) for the machine's distribution, or another SUITE of it.
aside_open() {
    mkdir -p "$SEKISHO_PREFIX"
    aside=$(mktemp -d "$SEKISHO_PREFIX/fetch.XXXXXX")
    mkdir -p "$aside/sources" "$aside/lists/partial" "$aside/cache/archives/partial" "$aside/get" \
        "$aside/preferences"
    # apt downloads as its user _apt: it must get through, and write where it downloads to.
    chmod 755 "$aside"
    if id _apt >/dev/null 2>&1; then chown _apt "$aside/get" "$aside"/*/partial; fi
    # Read after the machine's own settings, so it wins; #clear drops hooks that act on the system.
    cat >"$aside/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$aside/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$aside/preferences";
Dir::State::lists "$aside/lists";
Dir::Cache "$aside/cache";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
    derive_sources "$1"
}

aside_close() {
    [ -z "${aside:-}" ] || rm -rf -- "$aside"
    aside=
}

aside_apt() { apt-get -q -y -c "$aside/apt.conf" "$@"; }

# The code name by which the sources call this release.
distribution_suite() {
    # shellcheck disable=SC1091
    (. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
}

# derive_sources SUITE: the distribution's entries as they are configured (both notations) with binary and
# source packages, the release's name replaced by SUITE. Left out: other vendors, backports, entries
# that are switched off; of another release also its updates: it is asked for as the version that
# release came with. Sources may also name a release by its state ("stable").
derive_sources() {
    local own release etc=${APT_ETC:-/etc/apt}
    release=$(distribution_suite)
    for own in "$release" stable oldstable; do
        [ -n "$own" ] || continue
        find "$etc/sources.list" "$etc/sources.list.d" -maxdepth 1 -name '*.list' \
            -exec cat {} + 2>/dev/null |
            awk -v own="$own" -v release="$release" -v suite="$1" "$AWK_SUITE$AWK_CLASSIC" |
            sort -u >"$aside/sources/classic.list"
        find "$etc/sources.list.d" -maxdepth 1 -name '*.sources' \
            -exec sed -s '$G' {} + 2>/dev/null |
            awk -v own="$own" -v release="$release" -v suite="$1" "$AWK_SUITE$AWK_STANZAS" \
                >"$aside/sources/stanzas.sources"
        if [ -s "$aside/sources/classic.list" ] || [ -s "$aside/sources/stanzas.sources" ]; then
            return 0
        fi
    done
    fail "no package source of this distribution is configured in $etc" \
        "add its entries there, then run this again"
}

# The suite as SUITE has it; "" if the entry is not wanted.
AWK_SUITE='
function renamed(name) {
    if (name == own) return suite
    if (suite != release || name ~ /-backports/) return ""
    return index(name, own "-") == 1 || index(name, own "/") == 1 ? name : ""
}'
# deb [option=value ...] URI suite component ...
AWK_CLASSIC='
$1 == "deb" || $1 == "deb-src" {
    at = 2
    if ($at ~ /^\[/) { while (at < NF && $at !~ /\]$/) at++; at++ }
    at++
    $at = renamed($at)
    if ($at == "") next
    $1 = "deb"; print
    $1 = "deb-src"; print
}'
# Stanzas of fields, divided by empty lines; a line that starts with a blank goes on with its field.
AWK_STANZAS='
function flush(  i) {
    if (ours && !off) { for (i = 1; i <= n; i++) print line[i]; print "" }
    n = ours = off = 0
}
/^[ \t]*$/ { flush(); next }
/^#/ { next }
/^[^ \t]/ { field = tolower($1); first = 2 }
/^[ \t]/ { first = 1 }
field == "enabled:" && tolower($2) ~ /^(no|false|without|off|disable)$/ { off = 1 }
field == "types:" { $0 = "Types: deb deb-src" }
field == "suites:" {
    text = first == 2 ? "Suites:" : ""
    for (i = first; i <= NF; i++)
        if (renamed($i) != "") { text = text " " renamed($i); ours = 1 }
    if (text == "") next
    $0 = text
}
{ line[++n] = $0 }
END { flush() }'

# unpack_program NAME: the distribution's package NAME, unpacked to $SEKISHO_PREFIX/NAME and not
# installed: no user, no service, no file elsewhere. The libraries it depends on are installed.
unpack_program() {
    local dir=$SEKISHO_PREFIX/$1
    [ -e "$dir/.unpacked" ] || (
        aside=
        trap aside_close EXIT
        aside_open "$(distribution_suite)"
        run_logged "fetch-$1" "fetching the program $1" download_program "$1" "$dir" || fail \
            "the package $1 could not be fetched" "check the network and /etc/apt, then run this again"
    ) || exit 1
    need_packages "$(cat "$dir/.unpacked")"
}

download_program() {
    aside_apt update && cd "$aside/get" && aside_apt download "$1" || return 1
    rm -rf -- "$2" && dpkg-deb -x "$1"_*.deb "$2" || return 1
    dpkg-deb -f "$1"_*.deb Depends | tr ',' '\n' |
        awk '$1 ~ /^lib|-libs$/ { print $1 }' >"$2/.unpacked"
}

# find_program PACKAGE [PROGRAM]: its path, of the system or unpacked; nothing when it is neither.
find_program() {
    local dir program=${2:-$1}
    for dir in /usr/sbin /usr/bin "$SEKISHO_PREFIX/$1/usr/sbin" "$SEKISHO_PREFIX/$1/usr/bin"; do
        if [ -x "$dir/$program" ]; then
            printf '%s/%s' "$dir" "$program"
            return 0
        fi
    done
    return 1
}

# need_nsd: sets NSD to a usable nsd.
need_nsd() {
    if [ -e "$SEKISHO_PREFIX/nsd/.unpacked" ] || ! find_program nsd >/dev/null; then unpack_program nsd; fi
    NSD=$(find_program nsd) || fail "the package nsd holds no program nsd"
    export NSD
}

# need_named: sets NAMED to a usable named of BIND. Unpacked, it belongs to the very version of its
# libraries: it is fetched again when those were upgraded.
need_named() {
    NAMED=$(find_program bind9 named) || NAMED=
    if [ -z "$NAMED" ] || ! "$NAMED" -V >/dev/null 2>&1; then
        rm -f "$SEKISHO_PREFIX/bind9/.unpacked"
        unpack_program bind9
        NAMED=$(find_program bind9 named) || fail "the package bind9 holds no program named"
    fi
    export NAMED
}
