#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Folders of the state, with owners and modes: who may write what is decided here.
#   policy  people's decisions. Written by root's command; the resolver reads what is compiled (its
#           group, inherited by new files) and cannot change it, so that a broken-into resolver cannot lift
#           its own rules. policy.db itself is root's alone: who reads a database can lock it.
#   events  what happened: who asked for which name. Written by the resolver, read by root; by nobody else.
#   run     the status page: no secrets, readable by all.
# Safe to run again; changes nothing but these folders and the mode of policy.db.
set -eu

usage() {
    echo "usage: folders.sh [--user USER] [--state FOLDER] [--run FOLDER]" >&2
    echo "defaults: unbound, /var/lib/sekisho, /run/sekisho" >&2
    exit 2
}

user=unbound
state=/var/lib/sekisho
run=/run/sekisho
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --user) user=$2 ;;
    --state) state=$2 ;;
    --run) run=$2 ;;
    *) usage ;;
    esac
    shift 2
done
[ "$(id -u)" -eq 0 ] || {
    echo "folders.sh: this needs root" >&2
    exit 1
}
group=$(id -g "$user" 2>/dev/null) || {
    echo "folders.sh: there is no user $user; name the one that Unbound runs as: --user USER" >&2
    exit 1
}

umask 022
mkdir -p "$state"
# A link here would hand its target to the resolver's user.
for folder in "$state/policy" "$state/events" "$run"; do
    if [ -L "$folder" ]; then
        echo "folders.sh: $folder is a symbolic link; remove it, or name its target instead" >&2
        exit 1
    fi
done
install -d -o root -g "$group" -m 2750 "$state/policy"
# Nobody but root could have put a link there.
for file in "$state/policy/policy.db" "$state/policy/policy.db-journal"; do
    if [ -e "$file" ]; then chmod 0600 "$file"; fi
done
install -d -o "$user" -g "$group" -m 0750 "$state/events"
install -d -o "$user" -g "$group" -m 0755 "$run"
