#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Run by sudo the command has root's rights, and the caller chooses paths: what opens a file at one of them
# does so with the caller's rights (tools/caller.h). A file of tools/ that opens anything by its path
# includes that header, or is in the table, with the reason why no path in it is a caller's who is no admin.
. "$(dirname "$0")/lint.sh"

OPENS='\b(open|openat|fopen|freopen|opendir|scandir|glob|stat|lstat|access|realpath|mkdtemp|mkostemp|rename|renameat2|unlink|rmdir|mkdir|chmod|chown|symlink|link|truncate)\('
OPENS="$OPENS"'|\bsek_(file_(open_[a-z]+|new_open)|source_open|stream_open|excerpt_(suffix|write)|classify_open|keep_new)\('

# THE table: file, reason.
SITES='
tools/caller.c                     the place itself
tools/change/                      paths of the settings, and a scratch database
tools/check/                       paths of the settings; others by sek_roles_admit_option
tools/commands/cmd_check.c         paths of the settings; others by sek_roles_admit_option
tools/commands/cmd_audit_verify.c  the socket of syslog
tools/commands/cmd_completion.c    names files, opens none
tools/commands/cmd_forget.c        paths of the settings
tools/commands/cmd_preview_detector.c the installed model
tools/commands/cmd_replay.c        files by sek_past_file_open, --db by sek_roles_admit_option
tools/commands/cmd_tail.c          paths of the settings
tools/feeds/                       sources of feeds, which admins name
tools/input/scratch.c              a folder of its own
tools/main.c                       /dev/null
tools/metrics/gather.c             paths of the settings
tools/origin.c                     /proc
tools/siem/stream.c                paths of the settings
tools/train/                       another program, which nobody runs by sudo
tools/views/                       the installed model
'

is_sites() {
    local prefix _
    while read -r prefix _; do
        if [ -n "$prefix" ] && [[ $1 == "$prefix"* ]]; then return 0; fi
    done <<<"$SITES"
    return 1
}

while read -r file; do
    is_sites "$file" || grep -q '"\(tools/\)\?caller\.h"' "$file" ||
        finding "$file: opens files by their paths without tools/caller.h"
done < <(files 'tools/*.c' | xargs -r grep -lE "$OPENS")

# The option or argument that names a file is new: does its file know of the caller's rights?
while read -r file; do
    is_sites "$file" || grep -qE '"tools/caller\.h"|sek_(sink_file|textlines_|leasefile_|past_file|logmap_load|generated_|kept_packets_find|roles_admit|evaluate_print|change_|exception_)' "$file" ||
        finding "$file: an option names a FILE: open it with the caller's rights (tools/caller.h)"
done < <(files 'tools/commands/*.c' | xargs -r grep -lE '"(FILE|FOLDER|PATH)"')

lint_done "files at paths of the caller's choice"
