/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of `list …` in THE table of commands (command.h), for command.c only. */
#pragma once

#define LIST_COMMANDS(X)                                                                           \
    X(list_show, "list show", "[LIST]", "show all lists, or the entries of one",                   \
      "Without LIST: all lists with mode, action, number of entries and source. With LIST: "       \
      "its entries, with who added them, why, and until when.",                                    \
      "sekisho list show\tall lists\nsekisho list show local-block\twhat was blocked by "          \
      "hand\nsekisho list show -f json | jq '.rows[] | select(.mode == \"monitor\")'\tfor "        \
      "programs")                                                                                  \
    X(list_import, "list import", "LIST [FILE]", "replace a list's content by a file's",           \
      "Replaces the content of LIST by the names in FILE (default: standard input), and "          \
      "makes the list if there is none. Knows plain names (name: it and all below; =name: it "     \
      "alone; *.name: below), hosts files, Adblock, dnsmasq, RPZ zone files and "                  \
      "unbound.conf, also compressed by gzip. Names that stay keep their history. Lines that "     \
      "make no sense are told with their number and skipped; so is a last line without an end "    \
      "behind 100 others, as it may be half a name. A name that is a public suffix is taken for "  \
      "itself only. Input that is cut off, mostly unreadable, or would shrink the list by more "   \
      "than policy.shrink-percent is refused, and the list stays as it was.",                      \
      "sekisho list import ads hosts.txt\tfind out the format, block\nsekisho list import "        \
      "feed feed.rpz --mode monitor\trecord only, for a start\ncurl -sS "                          \
      "https://feeds.example/list.gz | sekisho list import feed\tfrom a program\nsekisho "         \
      "list import feed new.txt --dry-run\twhat would change?")                                    \
    X(list_export, "list export", "LIST", "print a list as a file of some format",                 \
      "Prints the entries of LIST. What a format cannot express (a hosts file knows no "           \
      "subtrees) is left out and counted.",                                                        \
      "sekisho list export local-block\tin list notation\nsekisho list export feed --as rpz "      \
      "> feed.rpz\tfor another resolver")                                                          \
    X(list_add, "list add", "LIST", "make an empty list",                                          \
      "Makes an empty list. Lists made by hand are in mode block, with the action sinkhole, "      \
      "unless told otherwise.",                                                                    \
      "sekisho list add partners --action nxdomain --comment 'shared by the CERT'\tan own "        \
      "list")                                                                                      \
    X(list_set, "list set", "LIST", "change a list's action, priority and other values",           \
      "An action that blocks is refused while the list has names that must not be blocked.",       \
      "sekisho list set feed --priority 10 --ede 17\tit wins over others where both match")        \
    X(list_mode, "list mode", "LIST MODE", "switch a list off, to monitor, or to block",           \
      "off: the list has no effect. monitor: what it would do is recorded as hits, but "           \
      "nothing is blocked. block: it is in force.",                                                \
      "sekisho list mode feed monitor\tlook at its hits first")                                    \
    X(list_enable, "list enable", "LIST", "switch a list to block", "",                            \
      "sekisho list enable feed\tas: list mode feed block")                                        \
    X(list_remove, "list remove", "LIST", "remove a list with all its entries", "",                \
      "sekisho list remove feed --dry-run\twhat would go?")                                        \
    X(list_audience, "list audience", "LIST [GROUP...]", "say whom a list is for",                 \
      "Without GROUP the list is for everybody. Its rules, and exceptions, then count for "        \
      "endpoints of these groups only; with --except, for all but them.",                          \
      "sekisho list audience social kiosk guests\tfor two groups\n"                                \
      "sekisho list audience ads --except lab\tnot for the laboratory")                            \
    X(list_publish, "list publish", "", "compile the policy again and wait for the resolver",      \
      "Brings the compiled files to the state of the policy database, as every command that "      \
      "changes it does by itself. Of use after a full disk, or when files were damaged or "        \
      "lost. Names rules that block what policy.never-block protects by now.",                     \
      "sekisho list publish --full\tmake all of it anew")                                          \
    X(list_versions, "list versions", "LIST", "show what a list held before",                      \
      "Each import that changes a list first keeps what it replaces, policy.versions times back "  \
      "(default 5), compressed in policy.db. The first row is what the list holds now.",           \
      "sekisho list versions feed\twhat can be rolled back to?")                                   \
    X(list_rollback, "list rollback", "LIST [VERSION]", "put a list back to what it held before",  \
      "Puts back the version before the last import, or VERSION. What the list holds now is kept " \
      "as a version as well, so that can be undone. A feed stays as it is put until its source "   \
      "has "                                                                                       \
      "something new.",                                                                            \
      "sekisho list rollback feed --dry-run\twhat would change?\n"                                 \
      "sekisho list rollback feed 3\tto that version")                                             \
    X(list_diff, "list diff", "A B", "show how two lists, or versions of them, differ",            \
      "Prints rules that only A (-) or only B (+) has; a rule with another action is both. A and " \
      "B "                                                                                         \
      "are LIST or LIST@VERSION.",                                                                 \
      "sekisho list diff feed@4 feed\twhat came since?\nsekisho list diff ads other\ttwo lists")   \
    X(list_stats, "list stats", "", "show which lists are worth their names",                      \
      "Shows for each list the hits of its rules, how many of its rules were met and never met, "  \
      "how "                                                                                       \
      "many of its names stand on other lists as well and on which one most, and its age.",        \
      "sekisho list stats --since 30d\tof the last month\n"                                        \
      "sekisho list stats --never-hit ads\tthe rules nobody asked for")                            \
    X(list_test, "list test", "NAME...", "show which lists say something about names",             \
      "Shows each rule of any list that covers NAME, and which one decides; - reads names from "   \
      "standard input. Asks the compiled policy. The exit status is 2 if no list knows any of "    \
      "them.",                                                                                     \
      "sekisho list test www.example.com\twhich lists have it?\nsekisho list test - < "            \
      "names.txt\tmany")
