/* SPDX-License-Identifier: BSD-3-Clause */
#include "conf/options.h"
#include "base/duration.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define AT(member) offsetof(struct sek_conf, member)
#define TEXT_MAX (SEK_CONF_TEXT_MAX - 1)
#define KIB 1024LL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define HOUR_S 3600LL
#define DAY_S 86400LL

/* clang-format off */
const struct sek_option sek_options[] = {
    /* key, kind, place, min, max, default, unit, help */
    {"policy.db", SEK_OPT_PATH, AT(policy.db), 1, TEXT_MAX, "/var/lib/sekisho/policy/policy.db", "",
     "Database of lists and exceptions; only the command writes it"},
    {"policy.dir", SEK_OPT_PATH, AT(policy.dir), 1, TEXT_MAX, "/var/lib/sekisho/policy", "",
     "Folder of the compiled policy that the resolver reads"},
    {"policy.never-block", SEK_OPT_NAMES, AT(policy.never_block), 0, SEK_CONF_NAMES_MAX, "", "",
     "Your own zones: no rule may ever block them (\"corp.example\", \"=host.example\")"},
    {"policy.strict", SEK_OPT_BOOL, AT(policy.strict), 0, 1, "no", "",
     "Without a policy: answer SERVFAIL (yes) or resolve everything (no)"},
    {"policy.shrink-percent", SEK_OPT_UINT, AT(policy.shrink_percent), 0, 100, "50", "percent",
     "An import that shrinks a list by more is refused unless forced"},
    {"policy.garbage-percent", SEK_OPT_UINT, AT(policy.garbage_percent), 0, 100, "50", "percent",
     "An import with more unreadable lines is refused unless forced"},

    {"answer.ipv4", SEK_OPT_ADDR4, AT(answer.ipv4), 0, 0, "0.0.0.0", "",
     "Answer to A queries of sinkholed names"},
    {"answer.ipv6", SEK_OPT_ADDR6, AT(answer.ipv6), 0, 0, "::", "",
     "Answer to AAAA queries of sinkholed names"},
    {"answer.ttl", SEK_OPT_DURATION, AT(answer.ttl_s), 1, HOUR_S, "30s", "",
     "How long endpoints keep a blocked answer, so how soon they see an exception"},
    {"answer.soa-mname", SEK_OPT_NAME, AT(answer.soa_mname), 1, TEXT_MAX, "sekisho.invalid", "",
     "Primary server in the SOA record of negative answers"},
    {"answer.soa-rname", SEK_OPT_NAME, AT(answer.soa_rname), 1, TEXT_MAX, "nobody.invalid", "",
     "Mailbox in the SOA record of negative answers (\"dns.corp.example\" is dns@corp.example)"},
    {"answer.ede", SEK_OPT_BOOL, AT(answer.ede), 0, 1, "yes", "",
     "Say in the answer that it was blocked (Extended DNS Error, RFC 8914)"},
    {"answer.contact", SEK_OPT_TEXT, AT(answer.contact), 0, 120, "", "",
     "Whom to ask, put into that text: \"help desk 1234\""},

    {"events.db", SEK_OPT_PATH, AT(events.db), 1, TEXT_MAX, "/var/lib/sekisho/events/events.db", "",
     "Database of what happened; only the resolver writes it"},
    {"events.ring", SEK_OPT_SIZE, AT(events.ring_octets), 64 * KIB, GIB, "2m", "",
     "Buffer of each resolver thread, between queries and the collector"},
    {"events.memory", SEK_OPT_SIZE, AT(events.memory_octets), MIB, 64 * GIB, "64m", "",
     "Most memory for events that wait for the database"},
    {"events.flush-ms", SEK_OPT_UINT, AT(events.flush_ms), 10, 60000, "500", "milliseconds",
     "Time between two commits: what a crash may lose"},
    {"events.retention", SEK_OPT_DURATION, AT(events.retention_s), HOUR_S, 3660 * DAY_S, "30d", "",
     "Older rows are deleted"},
    {"events.size", SEK_OPT_SIZE, AT(events.size_octets), 16 * MIB, 64 * TIB, "4g", "",
     "The database is kept below this size; the oldest rows go first"},

    {"status.path", SEK_OPT_PATH, AT(status.path), 1, TEXT_MAX, "/run/sekisho/status", "",
     "Page where the resolver shows its state to the command"},

    {"suffix.list", SEK_OPT_PATH, AT(suffix.list), 0, TEXT_MAX, "", "",
     "Public suffix list; empty is the system's newest"},
    {.key = NULL},
};
/* clang-format on */

_Static_assert(sizeof(sek_options) / sizeof(sek_options[0]) <= SEK_OPTIONS_MAX,
               "raise SEK_OPTIONS_MAX");

const struct sek_option *sek_option_find(const char *key)
{
    for (const struct sek_option *o = sek_options; o->key; o++)
        if (strcmp(o->key, key) == 0)
            return o;
    return NULL;
}

const char *sek_option_allowed(const struct sek_option *o, char *out, size_t size)
{
    char min[24], max[24];

    switch (o->kind) {
    case SEK_OPT_UINT:
        snprintf(out, size, "%" PRId64 " to %" PRId64 "%s%s", o->min, o->max, *o->unit ? " " : "",
                 o->unit);
        break;
    case SEK_OPT_SIZE:
        snprintf(out, size, "%s to %s", sek_size_to_text((uint64_t)o->min, min, sizeof(min)),
                 sek_size_to_text((uint64_t)o->max, max, sizeof(max)));
        break;
    case SEK_OPT_DURATION:
        snprintf(out, size, "%s to %s", sek_duration_to_text(o->min, min, sizeof(min)),
                 sek_duration_to_text(o->max, max, sizeof(max)));
        break;
    case SEK_OPT_BOOL:
        snprintf(out, size, "yes or no");
        break;
    case SEK_OPT_TEXT:
        snprintf(out, size, "a text of up to %" PRId64 " octets", o->max);
        break;
    case SEK_OPT_NAME:
        snprintf(out, size, "a domain name of up to %" PRId64 " octets", o->max);
        break;
    case SEK_OPT_PATH:
        snprintf(out, size, "an absolute path of up to %" PRId64 " octets%s", o->max,
                 o->min == 0 ? ", or empty" : "");
        break;
    case SEK_OPT_ADDR4:
        snprintf(out, size, "an IPv4 address");
        break;
    case SEK_OPT_ADDR6:
        snprintf(out, size, "an IPv6 address");
        break;
    case SEK_OPT_NAMES:
        snprintf(out, size, "a list of up to %" PRId64 " names", o->max);
        break;
    }
    return out;
}
