/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

/* X(id, words, arguments, one line, about, examples) — see tools/command.h */
#define COMMANDS(X)                                                                                \
    X(status, "status", "", "show the resolver, its policy and its database at a glance",          \
      "Shows whether the resolver runs, which policy is in force, how much is stored, what was "   \
      "lost, and the last troubles. When the resolver does not run it shows what the files tell, " \
      "and the exit status is 3.",                                                                 \
      "sekisho status\tis everything well?\nsekisho status -f json | jq .rows[0].leaked\tone "     \
      "figure, for monitoring")                                                                    \
    X(check, "check", "", "examine settings, policy, databases and installation",                  \
      "Examines everything that the module needs, with the code that the module itself uses: "     \
      "settings, policy, databases; then whether Unbound can load the module, whether the module " \
      "is built for that Unbound, whether the resolver's user may read and write what it must "    \
      "and no more, and whether AppArmor is in the way. One line a finding; the exit status is 1 " \
      "if any failed.",                                                                            \
      "sudo sekisho check\tall of it\n"                                                            \
      "sekisho check --settings-only\tbefore a new settings file is used\n"                        \
      "sekisho check --unbound /opt/unbound/sbin/unbound --unbound-conf "                          \
      "/opt/unbound/unbound.conf\tanother Unbound")                                                \
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
    X(list_publish, "list publish", "", "compile the policy again and wait for the resolver",      \
      "Brings the compiled files to the state of the policy database, as every command that "      \
      "changes it does by itself. Of use after a full disk, or when files were damaged or "        \
      "lost. Names rules that block what policy.never-block protects by now.",                     \
      "sekisho list publish --full\tmake all of it anew")                                          \
    X(block, "block", "NAME...", "block names, in force when the command returns",                 \
      "Puts names into the list local-block. NAME means the name and all below it, =NAME the "     \
      "very name, *.NAME only what is below; - reads names from standard input. Names in "         \
      "Unicode are fine. The command waits until all threads of the resolver obey and cached "     \
      "answers are gone. Public suffixes need --force; names that the company or the "             \
      "Internet depend on cannot be blocked.",                                                     \
      "sekisho block evil.example --reason 'INC-4711' --lifetime 8h\tfor this shift\nsekisho "     \
      "block '=www.evil.example' --action nxdomain\tthis name only\nsekisho block - < "            \
      "names.txt\tmany\nsekisho block evil.example --dry-run\twhat would change?")                 \
    X(allow, "allow", "NAME...", "make exceptions: names that no list blocks",                     \
      "Puts names into the list local-allow: they resolve, whatever other lists say. NAME as "     \
      "for block.",                                                                                \
      "sekisho allow portal.example --reason 'ticket 815' --lifetime 2w\tends by itself")          \
    X(unblock, "unblock", "NAME...", "take names off local-block",                                 \
      "Removes what block put there. A plain NAME removes all rules at that name. If another "     \
      "list still blocks it, the command says so: sekisho allow makes an exception then. The "     \
      "exit status is 2 if a name was not there.",                                                 \
      "sekisho unblock evil.example\tundo a block\nsekisho unblock --list local-allow "            \
      "portal.example\tend an exception")                                                          \
    X(explain, "explain", "NAME", "show how a name is judged, and why",                            \
      "Shows the name as the resolver sees it, each rule that it meets with the reason why that "  \
      "rule does or does not decide, who added it and until when, and what the answer will look "  \
      "like. The walk is made by the very function that the resolver calls.",                      \
      "sekisho explain www.example.com\twhy is it blocked?\n"                                      \
      "sekisho explain www.example.com --client 192.0.2.7 --type AAAA\tas that endpoint asks")     \
    X(classify, "classify", "[NAME...]", "judge whether names look machine-made",                  \
      "Judges the label left of the public suffix, or of a dynamic-DNS provider's suffix, by a "   \
      "model of names that domain generation algorithms make. The score is the probability that "  \
      "it is machine-made, if half of all names were: a name alone proves little. With - names "   \
      "are read from standard input. --evaluate and --calibrate read files of lines, gzip or "     \
      "not; in place of NAME, --calibrate takes such a file. A threshold means: alarm above it.",  \
      "sekisho classify xkqzvbwpjt.com\thow suspicious is it?\n"                                   \
      "sekisho classify --explain xkqzvbwpjt.com\tand why\n"                                       \
      "sekisho classify --scores < names.txt | sort -t $'\\t' -k2 -rn | head\tthe worst of many\n" \
      "sekisho classify --calibrate --alarms 5 --days 7 week.txt\tthe threshold for five alarms "  \
      "a day, by a week's names\n"                                                                 \
      "sekisho classify --evaluate labelled.tsv --svg roc.svg\thow good is it on these?")          \
    X(hits, "hits", "", "show queries that met a rule, newest first",                              \
      "Shows what the policy met: who asked for which name, when, how often in that minute, and "  \
      "what was done. Filters may be combined. With --group the hits are summed up instead.",      \
      "sekisho hits --since 1h --blocked\tthe last hour\n"                                         \
      "sekisho hits -e 192.0.2.7 -n evil.example\tone endpoint and a name with all below it\n"     \
      "sekisho hits --since today --group endpoint\twho met rules today, most first\n"             \
      "sekisho hits --id 5d0c1a9e\tthe id that a user read to the help desk\n"                     \
      "sekisho hits --since 7d --limit 0 -f csv > week.csv\tfor a spreadsheet")                    \
    X(tail, "tail", "", "follow new hits as they come",                                            \
      "Shows the last hits, then each new one, until interrupted. A hit that repeats within a "    \
      "minute shows once.",                                                                        \
      "sekisho tail --blocked\tfollow what is blocked\n"                                           \
      "sekisho tail -f jsonl --lines 0 | logger -t sekisho\tpass new hits on")                     \
    X(findings, "findings", "", "show what detectors found, newest first",                         \
      "Shows endpoints whose queries as a series tell of trouble. Detector dga finds "             \
      "those that ask for many machine-made names, of which nearly none exists; "                  \
      "suspected is the domain that did resolve and is most like them. beacon: a new "             \
      "and rare domain asked for by the clock. tunnel: data sent out in names below a "            \
      "domain. nxdomain-burst: many domains that do not exist, whatever they look like. "          \
      "fast-flux: a new or rare domain with ever new addresses all over the world. "               \
      "short-lived: a new domain that few asked for and that is gone. "                            \
      "surge: far more queries than usual at that hour of the week; new-domain-rate: far "         \
      "more domains never seen here; resolver-bypass: names of other resolvers, anonymisers, "     \
      "dynamic DNS. "                                                                              \
      "In mode block the suspected domain is blocked for a while.",                                \
      "sekisho findings --since 1d\ttoday's and yesterday's\n"                                     \
      "sekisho findings -e 192.0.2.7\tof one endpoint\n"                                           \
      "sekisho findings --blocked\twhat detectors block now\n"                                     \
      "sekisho findings -f jsonl --limit 0 > findings.jsonl\tall, with their evidence")            \
    X(finding, "finding", "ID", "show one finding with its evidence, and what to do next",         \
      "Shows all that is known of the finding: the numbers it rests on, the names asked for and "  \
      "how they look to the classifier, and the commands that lead on.",                           \
      "sekisho finding 12\tthe id that sekisho findings shows")                                    \
    X(endpoint_list, "endpoint list", "", "rank endpoints by risk, with the reason",               \
      "Shows endpoints by a score from 0 to 100, made of findings, hits, names that look "         \
      "machine-made and new domains; older evidence counts less (risk.half-life). From "           \
      "risk.alert "                                                                                \
      "on it says alert, from risk.quarantine on it proposes quarantine; nothing is done by "      \
      "itself. An address that belonged to several machines has a row for each. Behind them come " \
      "machines of the inventory that nothing is known against.",                                  \
      "sekisho endpoint list\tthe worst first\n"                                                   \
      "sekisho endpoint list --min 50 -f json\tfor an alarm")                                      \
    X(endpoint_show, "endpoint show", "ENDPOINT", "show all that is known of an endpoint",         \
      "Shows the risk with its parts, who had the address when, and the latest findings, hits "    \
      "and domains that it asked for first here. ENDPOINT is an address, or the MAC or name of a " \
      "machine of the inventory: then all addresses that it had, each in its time.",               \
      "sekisho endpoint show 192.0.2.7\tan address\n"                                              \
      "sekisho endpoint show laptop-7\ta machine, wherever it was")                                \
    X(endpoint_import, "endpoint import", "FILE...", "learn who had which address when",           \
      "Reads an inventory (CSV with a head line, or JSON: address, mac, name, owner, group, "      \
      "from, until) or leases (ISC dhcpd, Kea, dnsmasq), gzip or not, - for standard input, and "  \
      "adds them to the history of addresses in policy.db: newer leases extend or close older "    \
      "ones, and the same file again changes nothing. All files are taken in, or none. Run it "    \
      "now and then: hits of last week are named by who had the address then.",                    \
      "sekisho endpoint import /var/lib/dhcp/dhcpd.leases\tleases\n"                               \
      "sekisho endpoint import assets.csv --time 2026-11-01\tas it was that day\n"                 \
      "sekisho endpoint import assets.csv --dry-run\twhat would change?")                          \
    X(findings_dismiss, "findings dismiss", "ID...", "dismiss false alarms",                       \
      "The detector reports the domain of that finding no more: of its endpoint, or with "         \
      "--everybody of any. Blocks that it asked for end within a second. The finding stays, "      \
      "marked with who dismissed it, when and why. - reads ids from standard input.",              \
      "sekisho findings dismiss 12 --reason 'our monitoring'\tfor that endpoint\n"                 \
      "sekisho findings dismiss 12 --everybody --reason 'backup service'\tfor all")                \
    X(findings_restore, "findings restore", "ID...", "undo findings dismiss",                      \
      "The detector may report the domain of that finding again, and blocks that still run are "   \
      "in force again.",                                                                           \
      "sekisho findings restore 12\tit was none")                                                  \
    X(nod_list, "nod list", "", "show domains seen here for the first time, newest first",         \
      "Shows registered domains with the time of their first query, about how many endpoints "     \
      "asked since, whether they ever resolved, and who asked first for which name.",              \
      "sekisho nod list --since 1d\twhat is new\n"                                                 \
      "sekisho nod list --since 7d --endpoints-max 1\tnew, and of interest to one endpoint "       \
      "only\nsekisho nod list --since 1d --unresolved --limit 0 -f csv\tnames that led nowhere")   \
    X(nod_show, "nod show", "NAME", "show since when a domain is known here, and by whom",         \
      "Shows what the history of domains knows of the registered domain that NAME belongs to.",    \
      "sekisho nod show www.example.com\tsince when do we know it?")                               \
    X(nod_stats, "nod stats", "", "show the history of domains as a whole",                        \
      "Shows how many domains are known, since when, how much room is left, and for how long "     \
      "nothing counts as newly observed yet (domains.warm-up).",                                   \
      "sekisho nod stats\thow far is the warm-up?")                                                \
    X(nod_export, "nod export", "", "print the history of domains",                                \
      "Prints each domain with first and last time, endpoints and whether it ever resolved: "      \
      "lines with tabs, or another --format. sekisho nod import reads it again.",                  \
      "sekisho nod export | gzip > history.tsv.gz\tfor another site\n"                             \
      "sekisho nod export -f jsonl\tfor programs")                                                 \
    X(nod_import, "nod import", "FILE...", "learn the history of domains from logs",               \
      "Reads what was asked for before from FILE, gzip or not, - for standard input: query logs "  \
      "of Unbound, BIND and dnsmasq (Pi-hole), Zeek's dns.log as TSV and JSON, captures (pcap, "   \
      "pcapng), dnstap, tables as tshark -T fields -E header=y writes them, sekisho nod export, "  \
      "or lines of name and time. Formats are recognised by content, those of logs line by line; " \
      "lines about something else are passed over, bad ones told with their number. Times "        \
      "without a zone count as UTC. Logs that reach up to the history make it begin with their "   \
      "first line, "                                                                               \
      "which shortens the warm-up. Where the resolver runs, it takes the result over while it "    \
      "works; else the "                                                                           \
      "command writes the history itself.",                                                        \
      "sekisho nod import /var/log/unbound.log*\tlogs, gzip or not\n"                              \
      "zcat /opt/zeek/logs/*/dns.*.log.gz | sekisho nod import -\tmonths of Zeek\n"                \
      "sekisho nod import --dry-run queries.log\thow much is in it?\n"                             \
      "sekisho nod import monday.pcap.gz\twhat a capture saw\n"                                    \
      "sekisho nod import --date 2026-01-01 partners.txt\tnames that are not to count as new")     \
    X(answers, "answers", "[ADDRESS]", "show for which domains, and to whom, DNS gave an address", \
      "Shows on which days ADDRESS was among the answers for which registered domain, and which "  \
      "endpoints asked for that domain then. With --check it reads a firewall's log, gzip or "     \
      "not, - for standard input, and tells connections to addresses that DNS did not give to "    \
      "that endpoint: to others, or never. Such are programs with addresses built in, "            \
      "peer-to-peer, and those with a resolver of their own. Lines have a time, the source and "   \
      "the destination in columns separated by tabs, commas, semicolons or blanks.",               \
      "sekisho answers 192.0.2.80\twhat is this address?\n"                                        \
      "sekisho answers 192.0.2.80 -e 198.51.100.7 --since 7d\tdid this endpoint ask for it?\n"     \
      "sekisho answers --check firewall.csv\tconnections past DNS\n"                               \
      "sekisho answers --check - --columns 1,3,5 -f csv < conn.log\tof Zeek, for a spreadsheet")   \
    X(stats, "stats", "", "show counts of all queries",                                            \
      "Counts all queries by their outcome: answered from the cache, resolved, nonexistent, "      \
      "failed, answered by local data, or hits.",                                                  \
      "sekisho stats --since 1h --by endpoint\twho asked most\n"                                   \
      "sekisho stats -e 192.0.2.7 --by domain\twhat an endpoint asked for")                        \
    X(replay, "replay", "FILE...", "judge past traffic from captures and logs",                    \
      "Reads past traffic from FILE, gzip or not, - for standard input, and judges it as the "     \
      "resolver would have: by the compiled lists, the classifier, the test for newly observed "   \
      "domains and all detectors, in the records' own time and by the settings in force. Files "   \
      "come in the order of their first records. Nothing of the installed system is changed: the " \
      "history of domains is a new one in memory. What is new can only be told with a history: "   \
      "--seed learns one from older logs of the same site, --seed-part from the first records of " \
      "FILEs, --history copies the installed one; --warm-up 1s takes all for new that the "        \
      "records "                                                                                   \
      "have not shown before. The report says what was not judged.",                               \
      "sekisho replay incident.pcap\ttunnels, machine-made names, bursts\n"                        \
      "sekisho replay --seed-part 0.5 dns.*.log.gz\twhat is new in the second half?\n"             \
      "sekisho replay --seed last-month.log.gz today.log\tthe same by another log\n"               \
      "sekisho replay --db incident.db dns.log\tkeep hits, counts and findings\n"                  \
      "sekisho replay -f json dns.log | jq .findings\tfor programs")                               \
    X(selftest, "selftest", "", "would the detectors find what they are there for?",               \
      "Leads made-up traffic through the engine with the settings in force, a piece for each "     \
      "detector: a series of machine-made names, a beacon, a tunnel and so on. The installed "     \
      "databases are not changed. A detector that is on and stays silent makes the exit status "   \
      "1: "                                                                                        \
      "its threshold is out of reach, its model is missing, or something excludes the names.",     \
      "sekisho selftest\tafter a change of settings")                                              \
    X(config, "config", "[get KEY]", "print the settings in force, or a sample file",              \
      "Prints the settings in force: the file's values, and the defaults for the rest. The "       \
      "output is a settings file itself. With another --format it is a report that also tells "    \
      "each setting's kind, default and meaning.",                                                 \
      "sekisho config --sample > /etc/sekisho/sekisho.yaml\tbegin a settings file\n"               \
      "sekisho config get answer.ttl\tone value")                                                  \
    X(help, "help", "[COMMAND...]", "help on the command line, or on one command", "", "")         \
    X(completion, "completion", "SHELL [WORD...]", "print a completion script: bash, zsh or fish", \
      "Prints a completion script. SHELL is bash, zsh or fish. The scripts ask sekisho "           \
      "completion words, which prints what may stand in the place of the last WORD.",              \
      "sekisho completion bash > /etc/bash_completion.d/sekisho\tfor all users\n"                  \
      "source <(sekisho completion bash)\tfor this shell only")                                    \
    X(manual, "manual", "", "print the manual page sekisho(8)",                                    \
      "Prints the manual page in roff, made from the table of commands and the table of "          \
      "settings.",                                                                                 \
      "sekisho manual | man -l -\tread it")

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
    struct sek_nearest near = {.word = word};
    for (const struct sek_command *c = sek_commands; c->words; c++)
        sek_nearest_offer(&near, c->words);
    if (near.best)
        return sek_diag_set(diag, SEK_E_INVALID, "unknown command %.100s; did you mean %s?", word,
                            near.best);
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
