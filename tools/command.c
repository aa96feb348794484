/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"
#include "command_exceptions.h"
#include "command_incidents.h"
#include "command_lists.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* X(id, words, arguments, one line, about, examples) — see tools/command.h */
#define COMMANDS(X)                                                                                \
    X(status, "status", "", "show the resolver, its policy and its database at a glance",          \
      "Shows whether the resolver runs, which policy is in force, how much is stored, what was "   \
      "lost, and the last troubles. When the resolver does not run it shows what the files "       \
      "tell, and the exit status is 3.",                                                           \
      "sekisho status\tis everything well?\nsekisho status -f json | jq .rows[0].leaked\tone "     \
      "figure, for monitoring")                                                                    \
    X(check, "check", "", "examine settings, policy, databases and installation",                  \
      "Examines everything that the module needs, with the code that the module itself uses: "     \
      "settings, policy, databases; then whether Unbound can load the module, whether the "        \
      "module is built for that Unbound, whether the resolver's user may read and write what "     \
      "it must and no more, and whether AppArmor is in the way. One line a finding; the exit "     \
      "status is 1 if any failed.",                                                                \
      "sudo sekisho check\tall of it\nsekisho check --settings-only\tbefore a new settings "       \
      "file is used\nsekisho check --unbound /opt/unbound/sbin/unbound --unbound-conf "            \
      "/opt/unbound/unbound.conf\tanother Unbound")                                                \
    LIST_COMMANDS(X)                                                                               \
    X(feed_add, "feed add", "NAME [SOURCE...]", "make a list that comes from a source",            \
      "Makes the list NAME, or takes the one there is, and notes where it comes from. --from "     \
      "file PATH: a file of any format that list import knows. --from transfer PRIMARY[:PORT] "    \
      "ZONE: a response policy zone from its primary, by IXFR where it can and AXFR where it "     \
      "must, signed with --tsig. --from command -- COMMAND...: what a command prints; it runs "    \
      "without a shell, as the user feeds.user when sekisho is root, with an end in time and "     \
      "size. --from input: nothing to fetch, it is handed to feed update NAME -. Fetched by "      \
      "sekisho feed update, which a systemd timer runs. A feed without a good update for the "     \
      "time --expire has expired: status, check and feed list shout, and with --on-expiry open "   \
      "its list is switched off until it is good again.",                                          \
      "sekisho feed add ads --from command -- curl -sSf https://lists.example/ads.txt\ta "         \
      "download\nsekisho feed add rpz --from transfer 192.0.2.1 rpz.example --tsig "               \
      "feed.example:hmac-sha256:/etc/sekisho/feed.key\ta signed zone\nsekisho feed add cert "      \
      "--from file /srv/cert.txt --refresh 10m --mode monitor\ta file")                            \
    X(feed_set, "feed set", "NAME [SOURCE...]", "change a feed's source or settings",              \
      "Whatever feed add takes, but for the list's mode and action (list set): what is given "     \
      "comes in place of what was, all else stays. As long as the feed comes from the same "       \
      "source, what was fetched stays, too: zone, serial, versions, and when it is due. From "     \
      "another source it begins anew: it is due at once, its expiry counts from now, and its "     \
      "list stays as it is until a first good update. One row of the audit trail, with what was "  \
      "and what is; undo takes it back.",                                                          \
      "sekisho feed set ads --refresh 30m --timeout 2m\tmore often\nsekisho feed set rpz "         \
      "192.0.2.2 rpz.example\tanother primary, the same key\nsekisho feed set rpz --tsig "         \
      "feed2.example:hmac-sha256:/etc/sekisho/feed2.key\ta new key\nsekisho feed set rpz "         \
      "--default expire --default tsig\tas the zone says, without a key\nsekisho feed set ads "    \
      "--dry-run --from command -- curl -sSf https://lists.example/b.txt\twhat would change?")     \
    X(feed_list, "feed list", "", "show all feeds and what came of them", "",                      \
      "sekisho feed list\tis all up to date?\nsekisho feed list -f json | jq '.rows[] | "          \
      "select(.expired)'\tfor monitoring")                                                         \
    X(feed_show, "feed show", "NAME", "show one feed with its settings and last outcome", "",      \
      "sekisho feed show ads\twhy did it fail?")                                                   \
    X(feed_update, "feed update", "[NAME...]", "fetch feeds and put them in force",                \
      "Fetches the feeds that are due, or NAMEs whatever they are due; NAME - takes standard "     \
      "input in place of the source. Prints the names that come (+) and go (-). Each feed is "     \
      "one transaction. What is cut off, mostly unreadable, without names, shrinks the list by "   \
      "more than policy.shrink-percent or makes it more than ten times as large is refused, "      \
      "and the list stays as it was. A feed whose source did not change costs nothing. The "       \
      "exit status is 1 if any feed failed.",                                                      \
      "sekisho feed update\twhat is due, for a timer\nsekisho feed update rpz --verbose\tthis "    \
      "one now\nsekisho feed update rpz --force\tall of it, however implausible\ncurl -sS "        \
      "https://lists.example/x | sekisho feed update x -\tfrom a program\nsekisho feed update "    \
      "--watch\tin place of a timer")                                                              \
    X(feed_remove, "feed remove", "NAME", "forget where a list comes from",                        \
      "The list stays with its entries, unless --with-list is given.",                             \
      "sekisho feed remove ads --with-list\tboth")                                                 \
    X(policy_export, "policy export", "",                                                          \
      "print the policy for other resolvers: RPZ, hosts and more",                                 \
      "Prints what is decided of every name, after exceptions, priorities, modes and ends, "       \
      "with the names that findings block: as a response policy zone, with its triggers about "    \
      "addresses, clients and servers, or in another format. What the format cannot express is "   \
      "left out, noted at its place as a comment, and counted. With --output the file is "         \
      "replaced only when something changed, and the zone's serial grows then: any primary "       \
      "(NSD, Knot, BIND) can serve it, and hand out deltas.",                                      \
      "sekisho policy export --zone rpz.example --output /var/lib/nsd/rpz.zone && nsd-control "    \
      "reload rpz.example\tfor a fleet of resolvers\nsekisho policy export --as unbound > "        \
      "blocks.conf\tfor a resolver without RPZ")                                                   \
    X(block, "block", "NAME...", "block names, in force when the command returns",                 \
      "Puts names into the list local-block. NAME means the name and all below it, =NAME the "     \
      "very name, *.NAME only what is below; response-ip:NETWORK an address in the answer, "       \
      "nsip:NETWORK and nsdname:NAME a server of the zone, client-ip:NETWORK whoever asks, "       \
      "sinkholed:NETWORK somebody else's sinkhole; - reads them from standard input. Names in "    \
      "Unicode are fine. The command waits until all threads of the resolver obey and cached "     \
      "answers are gone. Public suffixes need --force; names that the company or the Internet "    \
      "depend on cannot be blocked.",                                                              \
      "sekisho block evil.example --reason 'INC-4711' --lifetime 8h\tfor this shift\nsekisho "     \
      "block '=www.evil.example' --action nxdomain\tthis name only\nsekisho block - < "            \
      "names.txt\tmany\nsekisho block response-ip:192.0.2.0/24\twhat leads there\nsekisho "        \
      "block evil.example --dry-run\twhat would change?")                                          \
    X(allow, "allow", "NAME...", "make exceptions: names that no list blocks",                     \
      "Puts names into the list local-allow: they resolve, whatever other lists say. NAME as "     \
      "for block.",                                                                                \
      "sekisho allow portal.example --reason 'ticket 815' --lifetime 2w\tends by "                 \
      "itself\nsekisho allow portal.example --group kiosk\tfor one group of endpoints")            \
    X(unblock, "unblock", "NAME...", "take names off local-block",                                 \
      "Removes what block put there. A plain NAME removes all rules at that name. If another "     \
      "list still blocks it, the command says so: sekisho allow makes an exception then. The "     \
      "exit status is 2 if a name was not there.",                                                 \
      "sekisho unblock evil.example\tundo a block\nsekisho unblock --list local-allow "            \
      "portal.example\tend an exception")                                                          \
    X(group_add, "group add", "GROUP [ENDPOINT...]", "make a group of endpoints, or add to one",   \
      "ENDPOINT is an address, a network (192.0.2.0/24, 2001:db8::/32), a pseudonym, or a "        \
      "machine of the inventory by name or MAC, which stands for the addresses that it has "       \
      "now. With the group comes a list of its name for exceptions that only it has.",             \
      "sekisho group add kiosk 192.0.2.0/28 2001:db8:7::/64\ta group of two networks\nsekisho "    \
      "group add lab pc17 --lifetime 2d --reason 'test week'\ta guest in it")                      \
    X(group_import, "group import", "[TAG...]",                                                    \
      "make groups of the tags that Unbound gives to clients",                                     \
      "Reads define-tag and access-control-tag of unbound.conf: each TAG (all without one) "       \
      "becomes a group of its name, of the networks that have it by Unbound's own rule, the "      \
      "smallest network around an address. Again after a change of the file: networks that "       \
      "came from there go with it, those added by people stay. The groups are networks from "      \
      "then on; Unbound itself is not asked.",                                                     \
      "sekisho group import --dry-run\twhat would come of it\nsekisho group import kiosk "         \
      "--unbound-conf /etc/unbound/unbound.conf\tone of them")                                     \
    X(group_remove, "group remove", "GROUP [ENDPOINT...]",                                         \
      "take endpoints off a group, or remove it",                                                  \
      "Without ENDPOINT the group goes, with its list of exceptions.",                             \
      "sekisho group remove kiosk 192.0.2.0/28\tno longer a member")                               \
    X(group_mode, "group mode", "GROUP MODE", "restrict a group to its exceptions (allow-only)",   \
      "block: endpoints of the group resolve nothing but what its own exceptions let through "     \
      "(sekisho allow --group), and the company's own zones (policy.never-block). monitor: "       \
      "what they would lose is recorded as hits, for a start. off: no restriction. While any "     \
      "group is restricted, answers are no longer shared through Unbound's cache, but kept by "    \
      "the module and judged for each endpoint.",                                                  \
      "sekisho group mode kiosk monitor\twhat would be lost?\nsekisho group mode kiosk "           \
      "block\tleast privilege")                                                                    \
    X(group_preview, "group preview", "GROUP",                                                     \
      "show what a group would lose if it were restricted",                                        \
      "Registered domains that endpoints of the group asked for lately and that none of its "      \
      "exceptions covers, most queries first; partly: only names below it are excepted.",          \
      "sekisho group preview kiosk --since 14d\tbefore group mode kiosk block")                    \
    X(group_show, "group show", "[GROUP]", "show all groups, or the members of one", "",           \
      "sekisho group show\tall groups\nsekisho group show quarantine\twho is in quarantine?")      \
    EXCEPTION_COMMANDS(X)                                                                          \
    X(preview, "preview", "COMMAND...", "what would a change have done to the past?",              \
      "Rehearses COMMAND, a change of policy with its arguments, and judges what is recorded "     \
      "by the policy that it would make: which names would be answered differently, how many "     \
      "queries, of which endpoints, worst first. Hits, also those of monitor mode, are known "     \
      "by name; of other queries only the registered domain is, so that a rule for a name "        \
      "below it shows as some names of the domain. Nothing is written; the same command "          \
      "without preview applies it.",                                                               \
      "sekisho preview list import ads new.txt\tbefore the update\nsekisho preview --since 30d "   \
      "list mode ads block\tfrom monitor to block\nsekisho preview unblock --list local-allow "    \
      "cdn.example\twithout this exception")                                                       \
    X(preview_detector, "preview detector", "DETECTOR",                                            \
      "what would it have blocked in mode block?",                                                 \
      "For a detector in mode monitor, before its mode is set to block in the settings: the "      \
      "names that it would have blocked, how many queries, of which endpoints, worst first. "      \
      "DETECTOR is one that sekisho findings names, or classifier, nod (mode hold), rebinding. "   \
      "A finding counts from the sign on that blocks, until its life time after the last one, "    \
      "with all queries for its domain; the classifier at most, as whether a domain was new "      \
      "and rare then is not recorded. What an exception or block of now decides is left out.",     \
      "sekisho preview detector beacon --since 30d\tcould it block?")                              \
    X(quarantine, "quarantine", "[ENDPOINT...]", "let endpoints resolve remediation names only",   \
      "Whatever these endpoints ask for is answered with the sinkhole, but for names in the "      \
      "list quarantine (sekisho allow --group quarantine) and the company's own zones. In "        \
      "force when the command returns, and over by itself after --lifetime. ENDPOINT as for "      \
      "group add; - reads them from standard input. With --by-risk: the endpoints whose risk "     \
      "(endpoint list) is risk.quarantine or more; told only, unless risk.automatic is yes.",      \
      "sekisho quarantine 192.0.2.7 --reason 'INC-4711, beacon' --lifetime 8h\tcut it "            \
      "off\nsekisho allow update.example --group quarantine\tbut let it be mended\nsekisho "       \
      "quarantine --by-risk --lifetime 1d\tfrom a timer, where risk.automatic is set")             \
    X(release, "release", "ENDPOINT...", "end the quarantine of endpoints", "",                    \
      "sekisho release 192.0.2.7\tit is clean")                                                    \
    X(audit, "audit", "[list]", "show who changed what, newest first",                             \
      "Shows the audit trail: a row for every change of lists, names, dismissals and the "         \
      "inventory, with who did it (the real user behind sudo), from where, and why. Rows are "     \
      "made together with the change and never change; each has the hash of the one before. "      \
      "--object also finds rows that changed many things at once, as long as what they changed "   \
      "is kept (audit.undo).",                                                                     \
      "sekisho audit --since yesterday\tof these two days\nsekisho audit --object "                \
      "evil.example\twho blocked it, and who let it through?\nsekisho audit --user alice "         \
      "--verb block -f csv\tfor a spreadsheet")                                                    \
    X(audit_show, "audit show", "NUMBER",                                                          \
      "show a row of the audit trail with all that it changed", "",                                \
      "sekisho audit show 12\tthe number that sekisho audit shows")                                \
    X(audit_verify, "audit verify", "", "prove that nobody altered the audit trail",               \
      "Computes the chain of hashes anew and names each row that was altered, removed or "         \
      "moved. Who can write the file can compute all hashes behind a row anew, or cut off the "    \
      "end: that shows against an anchor, a row's number and hash that are kept elsewhere "        \
      "(audit seal). Also told: triggers of the trail that were removed or replaced, data for "    \
      "undo that was taken away, and rows of lists and their rules, groups and "                   \
      "members (quarantine, too), feeds, exceptions, dismissals, triage, incidents "               \
      "and the inventory that something else than the command changed, removed or put "            \
      "there, by sums that each change leaves: a row is named as far as the data for "             \
      "undo has it, else the list, group or table that it is in. --accept takes the "              \
      "tables as they are, once that was looked into, but nothing that is wrong with the "         \
      "trail itself or with an exception. The exit status is 1 if any of that is left.",           \
      "sekisho audit verify\tis it whole?\nsekisho audit verify --anchor 812:5d0c…\tand as it "  \
      "was when that seal was made?")                                                              \
    X(audit_export, "audit export", "", "print the audit trail so that others can verify it",      \
      "Prints all rows, the oldest first, as JSON lines. A third party verifies them without "     \
      "Sekisho: hash is the SHA-256, in hexadecimal, of \"sekisho.audit/1\" (of a row "            \
      "with a state: \"sekisho.audit/2\"), previous, number, time_ms, user, uid, "                 \
      "origin, command, verb, object, before, after, reason, undoes, n_changes, "                  \
      "changes and the state that is not empty, in this order, each as its length in "             \
      "octets (decimal), a colon, its octets (UTF-8, numbers in decimal) and a comma; "            \
      "previous is the hash of the row before, 64 zeros for row 1; numbers have no "               \
      "gaps. share/sekisho/audit-verify.py does it. changes is the SHA-256 of the "                \
      "data for undo, which is not exported, state that of what policy.db held after "             \
      "the change. Endpoints of privacy.groups are hidden without --addresses, so "                \
      "that rows that name them do not verify.",                                                   \
      "sekisho audit export > trail.jsonl\tall of it\nsekisho audit export | audit-verify.py "     \
      "812:5d0c…\tverified by another program\nsekisho audit export --from 800 -f csv\tfor a "   \
      "spreadsheet")                                                                               \
    X(audit_seal, "audit seal", "", "print the end of the audit trail, to be kept elsewhere",      \
      "Verifies the trail and prints number and hash of its last row. Written into a ticket, "     \
      "or sent to a log host by --syslog, it is the anchor that audit verify holds the trail "     \
      "against later.",                                                                            \
      "sekisho audit seal\tfor a ticket\nsekisho audit seal --syslog\tevery night, from cron")     \
    X(undo, "undo", "NUMBER", "take back a change, by its row of the audit trail",                 \
      "Brings what the row changed back to how it was before, also a whole import, as a new "      \
      "change with a row of its own, which can be undone again. Refused where a later change "     \
      "touched the same name, list or endpoint: that one is to be undone first. --force takes "    \
      "back only what the row changed, and leaves what others changed besides. Changes older "     \
      "than audit.undo cannot be undone.",                                                         \
      "sekisho undo 12 --dry-run\twhat would change?\nsekisho undo 12 --reason 'wrong "            \
      "list'\ttake it back")                                                                       \
    X(explain, "explain", "NAME", "show how a name is judged, and why",                            \
      "Shows the name as the resolver sees it, each rule that it meets with the reason why "       \
      "that rule does or does not decide, who added it and until when, and what the answer "       \
      "will look like. The walk is made by the very function that the resolver calls.",            \
      "sekisho explain www.example.com\twhy is it blocked?\nsekisho explain www.example.com "      \
      "--client 192.0.2.7 --type AAAA\tas that endpoint asks")                                     \
    X(classify, "classify", "[NAME...]", "judge whether names look machine-made",                  \
      "Judges the label left of the public suffix, or of a dynamic-DNS provider's suffix, by a "   \
      "model of names that domain generation algorithms make. The score is the probability "       \
      "that it is machine-made, if half of all names were: a name alone proves little. With - "    \
      "names are read from standard input. --evaluate and --calibrate read files of lines, "       \
      "gzip or not; in place of NAME, --calibrate takes such a file. A threshold means: alarm "    \
      "above it.",                                                                                 \
      "sekisho classify xkqzvbwpjt.com\thow suspicious is it?\nsekisho classify --explain "        \
      "xkqzvbwpjt.com\tand why\nsekisho classify --scores < names.txt | sort -t $'\\t' -k2 -rn "   \
      "| head\tthe worst of many\nsekisho classify --calibrate --alarms 5 --days 7 "               \
      "week.txt\tthe threshold for five alarms a day, by a week's names\nsekisho classify "        \
      "--evaluate labelled.tsv --svg roc.svg\thow good is it on these?")                           \
    X(hits, "hits", "", "show queries that met a rule, newest first",                              \
      "Shows what the policy met: who asked for which name, when, how often in that minute, "      \
      "and what was done. Filters may be combined. With --group the hits are summed up "           \
      "instead. --triage: those whose state people set so (triage set).",                          \
      "sekisho hits --since 1h --blocked\tthe last hour\nsekisho hits -e 192.0.2.7 -n "            \
      "evil.example\tone endpoint and a name with all below it\nsekisho hits --since today "       \
      "--group endpoint\twho met rules today, most first\nsekisho hits --since 'last monday' "     \
      "--group case --triage open\twhat nobody looked at\nsekisho hits --id 5d0c1a9e\tthe id "     \
      "that a user read to the help desk\nsekisho hits --since 7d --limit 0 -f csv > "             \
      "week.csv\tfor a spreadsheet")                                                               \
    X(triage_set, "triage set", "STATE DOMAIN...", "note what became of hits, for everybody",      \
      "STATE is new, in-progress, false-positive, contained or closed. It is that of all hits "    \
      "of the registered domain, or with --endpoint of those of one endpoint; \"*\" with "         \
      "--endpoint stands for all that it asks for. Of several the more specific one counts. "      \
      "closed is about hits up to now: later ones are new again. For a false positive it "         \
      "prints the command that asks for an exception. - reads domains from standard input. "       \
      "Kept in policy.db with who, when and --note, in the audit trail, and to be undone.",        \
      "sekisho hits --group case --triage open\twhat is there to do?\nsekisho triage set "         \
      "in-progress evil.example -e 192.0.2.7 --note 'INC-4711'\tI look at it\nsekisho triage "     \
      "set contained '*' -e 192.0.2.7 --note 'INC-4711, reinstalled'\tit is done\nsekisho "        \
      "triage set false-positive shop.example --note 'our shop'\tand ask for an exception")        \
    X(triage_show, "triage show", "", "show which hits people work on, newest first", "",          \
      "sekisho triage show --triage open\twhat is in progress?")                                   \
    X(tail, "tail", "", "follow new hits as they come",                                            \
      "Shows the last hits, then each new one, until interrupted. A hit that repeats within a "    \
      "minute shows once.",                                                                        \
      "sekisho tail --blocked\tfollow what is blocked\nsekisho tail -f jsonl --lines 0 | "         \
      "logger -t sekisho\tpass new hits on")                                                       \
    X(events, "events", "", "hand hits, findings and the audit trail on to other systems",         \
      "Prints events as JSON lines, or in the format of a SIEM: ecs (Elastic Common Schema), "     \
      "ocsf (Open Cybersecurity Schema Framework), cef (ArcSight), rfc5424 (syslog); "             \
      "sekisho-events(5) lists their fields. A hit comes half a minute after its minute is "       \
      "over, when its count is final; a finding each time it grew, with the same id. With "        \
      "--cursor each run goes on where the last one ended, whatever happened in between: "         \
      "nothing is lost, and a file gets every event exactly once, also when it is rotated "        \
      "(renamed, or copied and truncated) or a run is killed. Other receivers may get the "        \
      "events of a killed run's last moment twice, with the same id. With --follow it waits "      \
      "for what is not there yet, and tries again where a receiver fails.",                        \
      "sekisho events --follow --format ecs --output /var/log/sekisho/events.json --cursor "       \
      "/var/lib/sekisho/ecs.cursor\ta file for Filebeat\nsekisho events --follow --format "        \
      "rfc5424 --syslog log.example:601 --cursor /var/lib/sekisho/syslog.cursor\ta log "           \
      "host\nsekisho events --kind audit --since 7d\twho changed what, as JSON lines")             \
    X(findings, "findings", "", "show what detectors found, newest first",                         \
      "Shows endpoints whose queries as a series tell of trouble. Detector dga finds those "       \
      "that ask for many machine-made names, of which nearly none exists; suspected is the "       \
      "domain that did resolve and is most like them. beacon: a new and rare domain asked for "    \
      "by the clock. tunnel: data sent out in names below a domain. nxdomain-burst: many "         \
      "domains that do not exist, whatever they look like. fast-flux: a new or rare domain "       \
      "with ever new addresses all over the world. short-lived: a new domain that few asked "      \
      "for and that is gone. surge: far more queries than usual at that hour of the week; "        \
      "new-domain-rate: far more domains never seen here; resolver-bypass: names of other "        \
      "resolvers, anonymisers, dynamic DNS; unique-response: a tracked name with an address it "   \
      "never had; sinkholed: infected already, what it asks for leads to a sinkhole that "         \
      "others run. In mode block the suspected domain is blocked for a while.",                    \
      "sekisho findings --since 1d\ttoday's and yesterday's\nsekisho findings -e 192.0.2.7\tof "   \
      "one endpoint\nsekisho findings --blocked\twhat detectors block now\nsekisho findings -f "   \
      "jsonl --limit 0 > findings.jsonl\tall, with their evidence")                                \
    X(finding, "finding", "ID", "show one finding with its evidence, and what to do next",         \
      "Shows all that is known of the finding: the numbers it rests on, the names asked for "      \
      "and how they look to the classifier, and the commands that lead on.",                       \
      "sekisho finding 12\tthe id that sekisho findings shows")                                    \
    X(endpoint, "endpoint", "ENDPOINT", "all that is known of an endpoint, on one page",           \
      "Shows the risk with its parts, how it grew over the last week, who had the address "        \
      "when, what it met by lists and detectors with first and last, beacons with their "          \
      "period, tunnels with the octets that left, bursts of NXDOMAIN, the latest findings and "    \
      "hits, domains that it asked for first here, names that led it to the sinkhole, its "        \
      "groups (quarantine among them) and the exceptions that those give it; then the "            \
      "exceptions that people asked for it or for everybody, also those that wait or are over. "   \
      "ENDPOINT is an address, a pseudonym, or the MAC or name of a machine of the inventory: "    \
      "then all addresses that it had, each in its time.",                                         \
      "sekisho endpoint 192.0.2.7\tan address\nsekisho endpoint laptop-7\ta machine, wherever "    \
      "it was\nsekisho endpoint 192.0.2.7 -f json | jq .series\tits beacons, for programs")        \
    X(endpoint_list, "endpoint list", "", "rank endpoints by risk, with the reason",               \
      "Shows endpoints by a score from 0 to 100, made of findings, hits, names that look "         \
      "machine-made and new domains; older evidence counts less (risk.half-life). From "           \
      "risk.alert on it says alert, from risk.quarantine on it proposes quarantine (quarantine "   \
      "--by-risk). An address that belonged to several machines has a row for each, a machine "    \
      "of the inventory with several addresses one for all. Behind them come machines that "       \
      "nothing is known against.",                                                                 \
      "sekisho endpoint list\tthe worst first\nsekisho endpoint list --min 50 -f json\tfor an "    \
      "alarm")                                                                                     \
    X(endpoint_show, "endpoint show", "ENDPOINT", "the same as endpoint ENDPOINT",                 \
      "For machines that are called like another word of this command.",                           \
      "sekisho endpoint show list\ta machine named list")                                          \
    INCIDENT_COMMANDS(X)                                                                           \
    X(endpoint_import, "endpoint import", "FILE...", "learn who had which address when",           \
      "Reads an inventory (CSV with a head line, or JSON: address, mac, name, owner, group, "      \
      "from, until) or leases (ISC dhcpd, Kea, dnsmasq), gzip or not, - for standard input, "      \
      "and adds them to the history of addresses in policy.db: newer leases extend or close "      \
      "older ones, and the same file again changes nothing. All files are taken in, or none. "     \
      "Run it now and then: hits of last week are named by who had the address then.",             \
      "sekisho endpoint import /var/lib/dhcp/dhcpd.leases\tleases\nsekisho endpoint import "       \
      "assets.csv --time 2026-11-01\tas it was that day\nsekisho endpoint import assets.csv "      \
      "--dry-run\twhat would change?")                                                             \
    X(findings_dismiss, "findings dismiss", "ID...", "dismiss false alarms",                       \
      "The detector reports the domain of that finding no more: of its endpoint, or with "         \
      "--everybody of any. Blocks that it asked for end within a second. The finding stays, "      \
      "marked with who dismissed it, when and why. - reads ids from standard input.",              \
      "sekisho findings dismiss 12 --reason 'our monitoring'\tfor that endpoint\nsekisho "         \
      "findings dismiss 12 --everybody --reason 'backup service'\tfor all")                        \
    X(findings_restore, "findings restore", "ID...", "undo findings dismiss",                      \
      "The detector may report the domain of that finding again, and blocks that still run are "   \
      "in force again.",                                                                           \
      "sekisho findings restore 12\tit was none")                                                  \
    X(nod_list, "nod list", "", "show domains seen here for the first time, newest first",         \
      "Shows registered domains with the time of their first query, about how many endpoints "     \
      "asked since, whether they ever resolved, and who asked first for which name. Those of "     \
      "which rules refused all queries are not in the history; nod show and domain know them.",    \
      "sekisho nod list --since 1d\twhat is new\nsekisho nod list --since 7d --endpoints-max "     \
      "1\tnew, and of interest to one endpoint only\nsekisho nod list --since 1d --unresolved "    \
      "--limit 0 -f csv\tnames that led nowhere")                                                  \
    X(nod_show, "nod show", "NAME", "show since when a domain is known here, and by whom",         \
      "Shows what the history of domains knows of the registered domain that NAME belongs to: "    \
      "since when, first by whom for what, how many endpoints and queries since, where it led "    \
      "at first, and the lowest TTL of its answers so far. Counts may be a minute old.",           \
      "sekisho nod show www.example.com\tsince when do we know it?")                               \
    X(nod_stats, "nod stats", "", "show the history of domains as a whole",                        \
      "Shows how many domains are known, since when, how much room is left, and for how long "     \
      "nothing counts as newly observed yet (domains.warm-up).",                                   \
      "sekisho nod stats\thow far is the warm-up?")                                                \
    X(nod_responses, "nod responses", "[NAME]", "show which addresses DNS gave for tracked names", \
      "Shows the addresses that were ever given for the names of udr.domains: of NAME and all "    \
      "below it, or of all. New is what was new about an address when it came: learned is one "    \
      "of the time of learning (udr.learn); address is another one in a network that the name "    \
      "used already; network and country were new to the name as well.",                           \
      "sekisho nod responses portal.bank.example\twhere does it lie?\nsekisho nod responses "      \
      "--new network --since 30d\twhat moved this month?")                                         \
    X(nod_export, "nod export", "", "print the history of domains",                                \
      "Prints each domain with first and last time, endpoints and whether it ever resolved: "      \
      "lines with tabs, or another --format. sekisho nod import reads it again.",                  \
      "sekisho nod export | gzip > history.tsv.gz\tfor another site\nsekisho nod export -f "       \
      "jsonl\tfor programs")                                                                       \
    X(nod_import, "nod import", "FILE...", "learn the history of domains from logs",               \
      "Reads what was asked for before from FILE, gzip or not, - for standard input: query "       \
      "logs of Unbound, BIND and dnsmasq (Pi-hole), the debug log of Windows' DNS server, "        \
      "Zeek's dns.log as TSV and JSON, captures "                                                  \
      "(pcap, pcapng), dnstap, tables as tshark -T fields -E header=y writes them, sekisho nod "   \
      "export, or lines of name and time. Formats are recognised by content, those of logs "       \
      "line by line; lines about something else are passed over, bad ones told with their "        \
      "number. Times without a zone count as UTC. Logs that reach up to the history make it "      \
      "begin with their first line, which shortens the warm-up. Where the resolver runs, it "      \
      "takes the result over while it works; else the command writes the history itself.",         \
      "sekisho nod import /var/log/unbound.log*\tlogs, gzip or not\nzcat "                         \
      "/opt/zeek/logs/*/dns.*.log.gz | sekisho nod import -\tmonths of Zeek\nsekisho nod "         \
      "import --dry-run queries.log\thow much is in it?\nsekisho nod import "                      \
      "monday.pcap.gz\twhat a capture saw\nsekisho nod import --date 2026-01-01 "                  \
      "partners.txt\tnames that are not to count as new")                                          \
    X(answers, "answers", "[ADDRESS]", "show for which domains, and to whom, DNS gave an address", \
      "Shows on which days ADDRESS was among the answers for which registered domain, and "        \
      "which endpoints asked for that domain then. With --check it reads a firewall's log, "       \
      "gzip or not, - for standard input, and tells connections to addresses that DNS did not "    \
      "give to that endpoint: to others, or never. Such are programs with addresses built in, "    \
      "peer-to-peer, and those with a resolver of their own. Lines have a time, the source and "   \
      "the destination in columns separated by tabs, commas, semicolons or blanks.",               \
      "sekisho answers 192.0.2.80\twhat is this address?\nsekisho answers 192.0.2.80 -e "          \
      "198.51.100.7 --since 7d\tdid this endpoint ask for it?\nsekisho answers --check "           \
      "firewall.csv\tconnections past DNS\nsekisho answers --check - --columns 1,3,5 -f csv < "    \
      "conn.log\tof Zeek, for a spreadsheet")                                                      \
    X(stats, "stats", "", "show counts of all queries",                                            \
      "Counts all queries by their outcome: answered from the cache, resolved, nonexistent, "      \
      "failed, answered by local data, or hits. They are counted by the minute, which stands "     \
      "for their time; hits have their own.",                                                      \
      "sekisho stats --since 1h --by endpoint\twho asked most\nsekisho stats -e 192.0.2.7 --by "   \
      "domain\twhat an endpoint asked for")                                                        \
    X(report, "report", "PERIOD", "write a report of a day, a week or any time",                   \
      "PERIOD is daily (yesterday, or the day of --since), weekly (Monday to Sunday of last "      \
      "week, or the week of --since) or range (from --since to --until). Days are those of the "   \
      "zone in TZ, UTC without it; times are UTC. What still lasts is reported up to now. "        \
      "Compared with the day, week or time before. It tells of hits, endpoints, lists, "           \
      "detectors, new domains, false alarms, exceptions, policy changes and blind spots; --for "   \
      "managers leaves out who and what in detail. html is one file that needs nothing else: "     \
      "no script, no network; it can be printed, and read on a phone.",                            \
      "sekisho report daily\tyesterday, on the terminal\nsekisho report weekly -f html -o "        \
      "week.html --for managers\tto send around\nTZ=Asia/Tokyo sekisho report weekly --lang ja "   \
      "-f html -o week-ja.html\tin Japanese\nsekisho report daily --since today\ttoday so "        \
      "far\nsekisho report range --since 'last month' --until 'this month' -f markdown\tfor a "    \
      "wiki")                                                                                      \
    X(replay, "replay", "FILE...", "judge past traffic from captures and logs",                    \
      "Reads past traffic from FILE, gzip or not, - for standard input, and judges it as the "     \
      "resolver would have: by the compiled lists, the classifier, the test for newly observed "   \
      "domains and all detectors, in the records' own time and by the settings in force. Files "   \
      "come in the order of their first records. Nothing of the installed system is changed: "     \
      "the history of domains is a new one in memory. What is new can only be told with a "        \
      "history: --seed learns one from older logs of the same site, --seed-part from the first "   \
      "records of FILEs, --history copies the installed one; --warm-up 1s takes all for new "      \
      "that the records have not shown before. The report says what was not judged. Findings "     \
      "such as were dismissed here are left out and counted.",                                     \
      "sekisho replay incident.pcap\ttunnels, machine-made names, bursts\nsekisho replay "         \
      "--seed-part 0.5 dns.*.log.gz\twhat is new in the second half?\nsekisho replay --seed "      \
      "last-month.log.gz today.log\tthe same by another log\nsekisho replay --db incident.db "     \
      "dns.log\tkeep hits, counts and findings\nsekisho replay -f json dns.log | jq "              \
      ".findings\tfor programs")                                                                   \
    X(selftest, "selftest", "", "would the detectors find what they are there for?",               \
      "Leads made-up traffic through the engine with the settings in force, a piece for each "     \
      "detector: a series of machine-made names, a beacon, a tunnel and so on. The installed "     \
      "databases are not changed. A detector that is on and stays silent makes the exit status "   \
      "1: its threshold is out of reach, its model is missing, or something excludes the names.",  \
      "sekisho selftest\tafter a change of settings")                                              \
    X(privacy_key, "privacy key", "", "make the key of pseudonyms",                                \
      "Makes the file privacy.key, which only its owner may read. With it reports and exports "    \
      "show the endpoints of privacy.groups by pseudonyms instead of their addresses, and "        \
      "nothing of their machines. It belongs into no backup that the databases are in.",           \
      "sudo sekisho privacy key\tonce\nsudo sekisho privacy key --replace\tcut off from the "      \
      "past")                                                                                      \
    X(reveal, "reveal", "PSEUDONYM", "tell which endpoint a pseudonym stands for",                 \
      "For whoever may read privacy.key, and with a row in the audit trail that says who asked "   \
      "and why. Finds endpoints that events.db or the inventory know, and with --network any "     \
      "address of a network.",                                                                     \
      "sudo sekisho reveal p-5d0c1a9e77aa0012 --reason 'INC-4711'\twho is it?")                    \
    X(forget, "forget", "ENDPOINT", "remove what is known of an endpoint",                         \
      "Removes the hits, traffic and findings of an address, its place in the inventory, its "     \
      "dismissals, triage and past memberships; where it asked first for a domain, or others' "    \
      "evidence names it, \"::\" stands afterwards, and its pseudonym in incidents and in "        \
      "exceptions that are over. events.db is changed by the resolver's own writer while one "     \
      "runs. The row in the audit trail names it by its pseudonym, the change cannot be "          \
      "undone, and neither can changes before the last one that named it. What stays: rows of "    \
      "the audit trail, with command lines and reasons; exceptions that are not over and "         \
      "memberships of groups, of which it tells; titles, notes and reasons that people wrote; "    \
      "what detectors remember until it ages; what was exported, and backups. Queries that "       \
      "come later are recorded as any.",                                                           \
      "sudo sekisho forget 192.0.2.7 --reason 'request 17'\ta person has left")                    \
    X(metrics, "metrics", "", "print figures for Prometheus",                                      \
      "Prints counters of the resolver, its policy, feeds and findings in Prometheus' text "       \
      "format. With --output FILE the file is replaced as a whole: of use with the textfile "      \
      "collector of node_exporter, run by a timer. With --listen it serves GET /metrics on an "    \
      "address of this host until it is interrupted, as the user --user with the group that "      \
      "may read events.db; policy.db is root's alone, so feeds and lists are in files only.",      \
      "sekisho metrics -o /var/lib/prometheus/node-exporter/sekisho.prom\tfrom a "                 \
      "timer\nsekisho metrics --listen 127.0.0.1:9753\tfor Prometheus itself")                     \
    X(config, "config", "[get KEY]", "print the settings in force, or a sample file",              \
      "Prints the settings in force: the file's values, and the defaults for the rest. The "       \
      "output is a settings file itself. With another --format it is a report that also tells "    \
      "each setting's kind, default and meaning.",                                                 \
      "sekisho config --sample > /etc/sekisho/sekisho.yaml\tbegin a settings file\nsekisho "       \
      "config --sudoers | sudo tee /etc/sudoers.d/sekisho\troles by sudo\nsekisho config get "     \
      "answer.ttl\tone value")                                                                     \
    X(help, "help", "[COMMAND...]", "help on the command line, or on one command", "", "")         \
    X(completion, "completion", "SHELL [WORD...]", "print a completion script: bash, zsh or fish", \
      "Prints a completion script. SHELL is bash, zsh or fish. The scripts ask sekisho "           \
      "completion words, which prints what may stand in the place of the last WORD.",              \
      "sekisho completion bash > /etc/bash_completion.d/sekisho\tfor all users\nsource "           \
      "<(sekisho completion bash)\tfor this shell only")                                           \
    X(manual, "manual", "[PAGE]", "print a manual page: commands, settings or events",             \
      "Prints a manual page in roff: commands, sekisho(8), made from the table of commands; "      \
      "settings, sekisho.yaml(5), from the table of settings; events, sekisho-events(5), from "    \
      "the table of fields. Installed, man finds them, and with them sekisho-lists(5) and "        \
      "sekisho-tuning(7).",                                                                        \
      "sekisho manual | man -l -\tread it\nsekisho manual settings | man -l -\tall settings")

#define X(id, words, args, help, about, examples) SEK_COMMAND(id);
COMMANDS(X)
#undef X

const struct sek_command sek_commands[] = {
#define X(id, words, args, help, about, examples)                                                  \
    {words, args, help, about, examples, sek_cmd_##id##_args, sek_cmd_##id},
    COMMANDS(X)
#undef X
        {0}};

const struct sek_arg sek_global_args[] = {
    [SEK_GLOBAL_CONFIG] = {"config", 'c', SEK_ARG_TEXT, "FILE",
                           "settings (else $SEKISHO_CONF, else " SEK_CONF_PATH ")"},
    [SEK_GLOBAL_FORMAT] = {"format", 'f', SEK_ARG_CHOICE, NULL,
                           "how reports are printed; default table", sek_out_format_names},
    [SEK_GLOBAL_PART] = {"part", 0, SEK_ARG_TEXT, "KEY",
                         "only this table of a report that has several, by its key in JSON; -f csv "
                         "has the first"},
    [SEK_GLOBAL_NO_COLOR] = {"no-color", 0, SEK_ARG_FLAG, NULL,
                             "no colour; also $NO_COLOR, and when not on a terminal"},
    [SEK_GLOBAL_HELP] = {"help", 'h', SEK_ARG_FLAG, NULL, "help on the command"},
    [SEK_GLOBAL_VERSION] = {"version", 'V', SEK_ARG_FLAG, NULL, "print the version"},
    [SEK_N_GLOBALS] = {0},
};

const struct sek_command *sek_command_find(char *const *words, int n, int *out_used)
{
    const struct sek_command *best = NULL;
    for (const struct sek_command *c = sek_commands; n > 0 && c->words; c++) {
        const char *second = strchr(c->words, ' ');
        size_t first_len = second ? (size_t)(second - c->words) : strlen(c->words);
        if (strlen(words[0]) != first_len || memcmp(words[0], c->words, first_len) != 0)
            continue;
        if (second && (n < 2 || strcmp(words[1], second + 1) != 0))
            continue;
        if (best && !second)
            continue;
        best = c;
        *out_used = second ? 2 : 1;
    }
    return best;
}

bool sek_command_is_family(const char *word)
{
    size_t n = strlen(word);
    for (const struct sek_command *c = sek_commands; c->words; c++)
        if (strncmp(c->words, word, n) == 0 && c->words[n] == ' ')
            return true;
    return false;
}

enum sek_err sek_command_unknown(const char *word, struct sek_diag *diag)
{
    const char *blank = strchr(word, ' '); /* behind it within the family only, which is right */
    size_t n = blank ? (size_t)(blank - word) + 1 : 0;
    struct sek_nearest near = {.word = word + n};
    for (const struct sek_command *c = sek_commands; c->words; c++)
        if (strncmp(c->words, word, n) == 0)
            sek_nearest_offer(&near, c->words + n);
    if (near.best)
        return sek_diag_set(diag, SEK_E_INVALID, "unknown command %.100s; did you mean %.*s%s?",
                            word, (int)n, word, near.best);
    return sek_diag_set(diag, SEK_E_INVALID, "unknown command %.100s", word);
}

enum sek_err sek_command_check_args(const struct sek_command *command, char *const *args, int n,
                                    struct sek_diag *diag)
{
    int min = 0, max = 0;
    const char *missing = NULL;
    size_t missing_len = 0;
    bool optional = false; /* within brackets, also over several words: "[get KEY]" */
    for (const char *p = command->args; *p;) {
        size_t len = strcspn(p, " ");
        bool many = len > 3 && (memcmp(p + len - 3, "...", 3) == 0 ||
                                (len > 4 && memcmp(p + len - 4, "...]", 4) == 0));
        optional |= *p == '[';
        if (!optional) {
            if (min == n) {
                missing = p;
                missing_len = many ? len - 3 : len;
            }
            min++;
        }
        max = many ? 1000000 : max + 1;
        optional &= p[len - 1] != ']';
        p += len;
        p += strspn(p, " ");
    }
    if (n < min && missing)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: %.*s is missing", command->words,
                            (int)missing_len, missing);
    if (n > max && sek_command_is_family(command->words)) {
        char both[128]; /* "list ad": more likely a wrong command than an argument too many */
        snprintf(both, sizeof both, "%s %.60s", command->words, args[0]);
        return sek_command_unknown(both, diag);
    }
    if (n > max)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: \"%.100s\" is one argument too many",
                            command->words, args[max]);
    return SEK_OK;
}
