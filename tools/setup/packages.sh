# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: BSD-3-Clause
# THE lists of Debian packages, and installing what is missing of them.
# Needs common.sh; its lists are used by those who source it. Packages that would start a service (unbound, nsd, bind9) are never installed: see
# programs.sh, which unpacks them beside the system.

# Compiling sekisho: the libraries of the table in CMakeLists.txt and a compiler.
PACKAGES_BUILD="gcc libc6-dev make cmake pkg-config binutils libsqlite3-dev libpsl-dev libidn2-dev
    libyaml-dev libssl-dev zlib1g-dev libldns-dev libpcap-dev libfstrm-dev libprotobuf-c-dev
    protobuf-c-compiler"

# Regular expressions in lists: Hyperscan is for x86 alone, and everything works without it.
case $(dpkg --print-architecture 2>/dev/null) in
amd64 | i386) PACKAGES_BUILD="$PACKAGES_BUILD libhyperscan-dev" ;;
esac

# Rebuilding the distribution's Unbound with its own configure line (debian/control, Build-Depends, less
# the packaging tools). libhiredis-dev: Debian 13's line.
PACKAGES_UNBOUND="dpkg-dev gcc libc6-dev make pkg-config bison flex libevent-dev libexpat1-dev
    libhiredis-dev libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler libssl-dev
    libsystemd-dev python3-dev swig"

# Running the resolver, and showing that it runs.
PACKAGES_RUN="publicsuffix dns-root-data ldnsutils openssl tzdata"

# What the tests use: cmocka, a second compiler with sanitizers and fuzzer, load and packets.
PACKAGES_TEST="libcmocka-dev clang libclang-rt-dev clang-format shellcheck dnsperf curl
    python3-dnspython sqlite3 procps util-linux iproute2 git iodine dns2tcp groff-base faketime
    sudo"

# The names among the arguments that are not installed.
packages_missing() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
            printf '%s\n' "$name"
    done | sort -u
}

# apt-get that asks nothing, waits for another apt's lock, and restarts no service.
apt_quiet() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y \
        -o DPkg::Lock::Timeout=300 -o APT::Install-Recommends=false "$@"
}

# need_packages LIST...: install what is missing. Touches nothing when nothing is.
need_packages() {
    local missing
    # Lists are words separated by blanks.
    # shellcheck disable=SC2048,SC2086
    missing=$(packages_missing $*)
    if [ -z "$missing" ]; then
        say "    packages: all there"
        return 0
    fi
    # shellcheck disable=SC2086
    say "    packages to install:" $missing
    # shellcheck disable=SC2086
    if ! apt_quiet --simulate install $missing >/dev/null 2>&1; then
        run_logged apt-update "reading the package lists" apt_quiet update || fail \
            "apt-get update did not work" "check the network and /etc/apt, then run this again"
    fi
    # shellcheck disable=SC2086
    run_logged apt-install "installing packages" apt_quiet install $missing || fail \
        "the packages could not be installed" "repair apt (apt-get -f install), then run this again"
    # So that --purge can say what came by us.
    printf '%s\n' "$missing" >>"$SEKISHO_PREFIX/packages-installed"
}
