# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# The demonstration of tools/quickstart: a name server with the zone "example." (RFC 2606), a resolver
# with the module, and the main job done with both. Needs common.sh; and to start, UNBOUND and NSD.

demo=$SEKISHO_PREFIX/demo
demo_user=sekisho
demo_port=5335 # the resolver's; the name server has the next

# The programs, by their pid files: never another process that got the number.
demo_pid() {
    local pid
    pid=$(cat "$demo/run/$1.pid" 2>/dev/null) || return 1
    [ -n "$pid" ] && grep -qsF "$demo/$1.conf" "/proc/$pid/cmdline" || return 1
    printf '%s' "$pid"
}

# Neither gone nor dead and only not yet buried by its parent.
process_runs() { grep -qsE '^State:[[:space:]]+[^ZX]' "/proc/$1/status"; }

demo_stop() {
    local name pid i
    for name in unbound nsd; do
        pid=$(demo_pid "$name") || continue
        kill "$pid"
        for ((i = 0; i < 100; i++)); do
            process_runs "$pid" || break
            sleep 0.1
        done
        if process_runs "$pid"; then
            say "    $name (process $pid) does not end by itself: killed"
            kill -9 "$pid"
        fi
        say "    $name (process $pid): ended"
    done
}

# A port of 127.0.0.1 or of all addresses that somebody has, by the kernel's own tables.
port_is_taken() {
    local hex
    printf -v hex '%04X' "$1"
    cat /proc/net/tcp /proc/net/udp /proc/net/tcp6 /proc/net/udp6 2>/dev/null | awk -v port="$hex" '
        { n = split($2, local, ":") }
        n == 2 && local[2] == port && ($4 == "0A" || $4 == "07") { found = 1 }
        END { exit !found }'
}

# Ours may have them: they are about to be started anew.
demo_check_ports() {
    local port name
    for name in unbound nsd; do
        port=$demo_port
        if [ "$name" = nsd ]; then port=$((demo_port + 1)); fi
        if port_is_taken "$port" && ! demo_pid "$name" >/dev/null; then
            fail "port $port on 127.0.0.1 is taken by another program" \
                "end it (ss -lnptu shows who), or choose: $0 --port PORT (it takes PORT and PORT + 1)"
        fi
    done
}

demo_start() {
    install -d -m 755 "$demo"
    demo_write_files
    chown "$demo_user:" "$demo/log"
    demo_begin
    demo_run nsd "$NSD" -c "$demo/nsd.conf"
    SEKISHO_CONF=$demo/sekisho.yaml demo_run unbound "$UNBOUND" -c "$demo/unbound.conf"
    say "    name server of \"example.\" on 127.0.0.1 port $((demo_port + 1)), resolver on port $demo_port"
}

# A policy to start with, and a second run begins where the first did.
demo_begin() {
    "$demo/sekisho" unblock evil.example || true
    "$demo/sekisho" unblock --list local-allow www.evil.example || true
    "$demo/sekisho" list publish || true
} >"$demo/log/begin" 2>&1

# demo_run NAME COMMAND...: both go into the background by themselves once they listen.
demo_run() {
    local name=$1 status=0
    shift
    "$@" >"$demo/log/$name.start" 2>&1 || status=$?
    if [ "$status" -eq 0 ] && demo_wait 10 demo_pid "$name"; then return 0; fi
    demo_logs
    fail "$name did not start (exit $status)"
}

# demo_wait SECONDS COMMAND...: until COMMAND succeeds.
demo_wait() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

demo_logs() {
    local file
    for file in "$demo"/log/*; do
        if [ ! -s "$file" ]; then continue; fi
        say "    the last lines of $file:"
        tail -n 20 "$file" | sed 's/^/    | /' >&2
    done
}

# 60 labels of 14 letters, by the date: a linear congruential generator, as malware has it.
bot_names() {
    awk -v seed="$(date +%Y%m%d)" 'BEGIN {
        for (n = 0; n < 60; n++) {
            name = ""
            for (k = 0; k < 14; k++) {
                seed = (seed * 4096 + 150889) % 714025
                name = name sprintf("%c", 97 + int(seed / 714025 * 26))
            }
            print name ".zz"
        }
    }'
}

demo_write_files() {
    rm -rf -- "$demo/log"
    mkdir -p "$demo/zones" "$demo/log"
    cat >"$demo/zones/example" <<ZONE
\$ORIGIN example.
\$TTL 86400 ; a day: what gets blocked later is in the cache by then
@         SOA   ns hostmaster 1 3600 600 86400 300
@         NS    ns
ns        A     127.0.0.1
www.good  A     192.0.2.10
evil      A     192.0.2.66
www.evil  A     192.0.2.67
shop      CNAME cdn.evil
cdn.evil  A     192.0.2.68
ZONE
    # What a bot's generator makes, of which one name exists. "zz" is no top-level domain.
    bot_names >"$demo/names"
    cat >"$demo/zones/zz" <<ZONE
\$ORIGIN zz.
\$TTL 300
@  SOA ns.example. hostmaster.example. 1 3600 600 86400 300
@  NS  ns.example.
$(sed -n 40p "$demo/names"). A 192.0.2.69
ZONE
    cat >"$demo/nsd.conf" <<CONF
server:
    ip-address: 127.0.0.1@$((demo_port + 1))
    username: "$demo_user"
    server-count: 1
    zonesdir: "$demo/zones"
    pidfile: "$demo/run/nsd.pid"
    logfile: "$demo/log/nsd.log"
    xfrdfile: ""
    zonelistfile: "$demo/run/nsd.zones"
    database: ""
remote-control:
    control-enable: no
zone:
    name: "example."
    zonefile: "example"
zone:
    name: "zz."
    zonefile: "zz"
CONF
    cat >"$demo/unbound.conf" <<CONF
server:
    interface: 127.0.0.1
    port: $demo_port
    access-control: 127.0.0.0/8 allow
    username: "$demo_user"
    directory: "$demo"
    chroot: ""
    pidfile: "$demo/run/unbound.pid"
    use-syslog: no
    logfile: "$demo/log/unbound.log"
    num-threads: 2
    # Sekisho first: it judges the question before, and the answer after all others.
    module-config: "dynlib validator iterator"
    root-hints: "/usr/share/dns/root.hints"
    trust-anchor-file: "/usr/share/dns/root.key"
    # The demonstration's zones; all other names are resolved from the root as usual.
    do-not-query-localhost: no
    domain-insecure: "example."
    domain-insecure: "zz."
dynlib:
    dynlib-file: "$SEKISHO_PREFIX/lib/sekisho/sekisho.so"
remote-control:
    control-enable: yes
    control-interface: "$demo/run/unbound.ctl"
stub-zone:
    name: "example."
    stub-addr: 127.0.0.1@$((demo_port + 1))
stub-zone:
    name: "zz."
    stub-addr: 127.0.0.1@$((demo_port + 1))
CONF
    cat >"$demo/sekisho.yaml" <<CONF
# Settings of the demonstration; all of them: sekisho config --sample
policy:
  db: $demo/state/policy/policy.db
  dir: $demo/state/policy
answer:
  ipv4: 192.0.2.1
  ipv6: 2001:db8::1
  contact: demonstration
events:
  db: $demo/state/events/events.db
status:
  path: $demo/run/status
CONF
    # The command with these settings, under its own name.
    cat >"$demo/sekisho" <<COMMAND
#!/bin/sh
SEKISHO_CONF=$demo/sekisho.yaml exec $SEKISHO_PREFIX/sbin/sekisho "\$@"
COMMAND
    chmod 755 "$demo/sekisho"
}

# ask NAME [CLIENT]: what the resolver answers, one line a record, or the response code.
ask() {
    drill -p "$demo_port" ${2:+-I "$2"} "$1" A @127.0.0.1 2>/dev/null | awk '
        /rcode: / { sub(/.*rcode: /, ""); sub(/,.*/, ""); rcode = $0 }
        /^;; ANSWER SECTION/ { answer = 1; next }
        /^$|^;;/ { answer = 0 }
        answer { print; n++ }
        END { if (!n) print rcode == "" ? "no answer" : rcode ", no address" }'
}

answers() { grep -qE "[[:space:]]$2\$" <<<"$1"; }
resolves() { answers "$(ask "$1")" "$2"; }

# show COMMAND...: as somebody would type it, with what it prints.
show() {
    local word text=
    for word in "$@"; do
        case $word in *[[:space:]]*) text+=" \"$word\"" ;; *) text+=" $word" ;; esac
    done
    printf '\n  $%s\n' "$text"
    "$@" 2>&1 | sed 's/^/  /'
    return "${PIPESTATUS[0]}"
}

# show_answer NAME WANTED [CLIENT]: ask once, show, and fail unless WANTED comes.
show_answer() {
    local text
    printf '\n  $ drill -p %s %s%s @127.0.0.1\n' "$demo_port" "${3:+-I $3 }" "$1"
    text=$(ask "$1" "${3:-}")
    printf '%s\n' "$text" | sed 's/^/  /'
    answers "$text" "$2" || {
        demo_logs
        fail "$1 should have been answered with $2" "please report the lines above"
    }
}

expect_ok() { "$@" || fail "this should have worked: $*" "please report the lines above"; }

demo_show() {
    demo_wait 10 resolves evil.example 192.0.2.66 || {
        demo_logs
        fail "the resolver does not answer" "please report the lines above"
    }
    PATH=$demo:$PATH
    # Asked now, looked at in the end: without Internet the answer takes its time.
    timeout 5 drill -p "$demo_port" . NS @127.0.0.1 >"$demo/log/internet" 2>&1 &
    internet=$!
    say ''
    step "1. Names resolve, and are cached for a day"
    show_answer www.good.example 192.0.2.10
    show_answer evil.example 192.0.2.66
    show_answer shop.example 192.0.2.68
    printf '\n'
    step "2. A name is blocked, and all below it: for every client, at once, cached or not"
    expect_ok show sekisho block evil.example --reason "phishing, ticket 4711"
    show_answer evil.example 192.0.2.1
    show_answer www.evil.example 192.0.2.1 127.0.0.2
    printf '\n  (an alias of it is no way around:)\n'
    show_answer shop.example 192.0.2.1 127.0.0.3
    show_answer www.good.example 192.0.2.10
    printf '\n'
    step "3. An exception lets one name pass, with a reason and an end"
    expect_ok show sekisho allow www.evil.example --reason "forensics, ticket 4712" --lifetime 1h
    show_answer www.evil.example 192.0.2.67 127.0.0.2
    printf '\n'
    step "4. Who asked?"
    demo_wait 5 demo_hits_are_there || true
    expect_ok show sekisho hits --since 1m
    printf '\n'
    step "5. Malware makes up names, 60 of them, of which one exists: who asks, and which one?"
    while read -r name; do ask "$name" 127.0.0.66 >/dev/null; done <"$demo/names"
    demo_wait 10 demo_finding_is_there || fail "no finding of 127.0.0.66" "please report this"
    expect_ok show sekisho findings --since 1m
    printf '\n'
    demo_tell
}

# Events are written twice a second.
demo_hits_are_there() { sekisho hits --since 1m --format csv | grep -q '127\.0\.0\.3'; }

demo_finding_is_there() {
    sekisho findings --since 1m --endpoint 127.0.0.66 --format csv | grep -q "$(sed -n 40p "$demo/names")"
}

demo_tell() {
    step "Done. What runs, and what to type next"
    wait "$internet" || true
    if grep -qi 'root-servers' "$demo/log/internet"; then
        say "    Internet: reachable, so all other names resolve as well"
    else
        say "    Internet: not reachable from here, so only names below \"example.\" resolve"
    fi
    cat >&2 <<TEXT
    resolver: 127.0.0.1 port $demo_port, user $demo_user, settings $demo/unbound.conf
    files:    $SEKISHO_PREFIX (nothing else was changed but packages and that user)

    alias sekisho="sudo $demo/sekisho"
    sekisho status                        is it at work?
    sekisho explain www.evil.example      why is it answered like that?
    sekisho tail                          hits as they happen
    sekisho finding 1                     what is known of the bot, and what to do next
    sekisho list import --help            block lists: hosts, Adblock, dnsmasq, RPZ, plain
    sekisho --help                        all else
    sudo $0 --stop          end it
    Into your own Unbound: README.md, "Loading into your Unbound"
TEXT
}
