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
    {"policy.versions", SEK_OPT_UINT, AT(policy.versions), 0, 100, "5", "",
     "What a list held before is kept that many imports back, for sekisho list rollback"},

    {"feeds.user", SEK_OPT_TEXT, AT(feeds.user), 1, 32, "nobody", "",
     "User that fetches feeds when sekisho runs as root: their commands, and zone transfers"},

    {"exceptions.lifetime", SEK_OPT_DURATION, AT(exceptions.lifetime_s), 60, 366 * DAY_S, "7d", "",
     "How long an exception lasts when the request does not say"},
    {"exceptions.lifetime-max", SEK_OPT_DURATION, AT(exceptions.lifetime_max_s), 60, 3660 * DAY_S,
     "90d", "", "How long one may last; longer only --unlimited, with an owner and a yearly review"},
    {"exceptions.warn", SEK_OPT_DURATION, AT(exceptions.warn_s), 60, 366 * DAY_S, "2d", "",
     "One that ends within this time is shown as expiring, but only in its last quarter"},
    {"exceptions.unused", SEK_OPT_DURATION, AT(exceptions.unused_s), HOUR_S, 366 * DAY_S, "30d", "",
     "One that nobody made use of for so long is for sekisho exception review"},
    {"exceptions.four-eyes", SEK_OPT_CHOICE, AT(exceptions.four_eyes), 0, 0, "on", "",
     "Another person approves: on; wide: only what is for everybody; off: a site of one person",
     sek_four_eyes_names},
    {"exceptions.required", SEK_OPT_BOOL, AT(exceptions.required), 0, 1, "no", "",
     "Whether sekisho allow refuses, so that names are let through by approved exceptions only"},

    {"roles.viewer", SEK_OPT_TEXT, AT(roles[SEK_ROLE_VIEWER]), 0, 32, "", "",
     "Unix group whose members may look; without any roles whoever gets at the files may do all"},
    {"roles.operator", SEK_OPT_TEXT, AT(roles[SEK_ROLE_OPERATOR]), 0, 32, "", "",
     "Group that may also block, quarantine, dismiss findings and request exceptions"},
    {"roles.approver", SEK_OPT_TEXT, AT(roles[SEK_ROLE_APPROVER]), 0, 32, "", "",
     "Group that may also approve, reject and review the exceptions of others"},
    {"roles.admin", SEK_OPT_TEXT, AT(roles[SEK_ROLE_ADMIN]), 0, 32, "", "",
     "Group that may do all, as root may"},

    {"audit.undo", SEK_OPT_DURATION, AT(audit.undo_s), HOUR_S, 3660 * DAY_S, "90d", "",
     "How long a change can be undone; its row of the audit trail is kept for ever"},
    {"audit.undo-size", SEK_OPT_SIZE, AT(audit.undo_octets), MIB, TIB, "256m", "",
     "Most data for that in policy.db; the oldest goes first, a larger change cannot be undone"},

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
    {"events.retention-hits", SEK_OPT_DURATION, AT(events.hits_s), HOUR_S, 3660 * DAY_S, "3660d",
     "", "Hits are kept for so long, if that is less than events.retention"},
    {"events.retention-traffic", SEK_OPT_DURATION, AT(events.traffic_s), HOUR_S, 3660 * DAY_S,
     "3660d", "", "The same of who asked for which domain in which minute"},
    {"events.retention-findings", SEK_OPT_DURATION, AT(events.findings_s), HOUR_S, 3660 * DAY_S,
     "3660d", "", "The same of findings, by their end"},
    {"events.size", SEK_OPT_SIZE, AT(events.size_octets), 16 * MIB, 64 * TIB, "4g", "",
     "The database is kept below this size; the oldest rows go first"},

    {"privacy.groups", SEK_OPT_TEXT, AT(privacy.groups), 0, TEXT_MAX, "", "",
     "Groups whose endpoints reports and exports show by pseudonyms (\"guests staff\"), or all"},
    {"privacy.key", SEK_OPT_PATH, AT(privacy.key), 1, TEXT_MAX, "/etc/sekisho/privacy.key", "",
     "Key of the pseudonyms, made by sekisho privacy key"},

    {"classify.mode", SEK_OPT_CHOICE, AT(classify.mode), 0, 0, "monitor", "",
     "Single names that look machine-made; block: only if newly observed and rare as well",
     sek_mode_names},
    {"classify.model", SEK_OPT_PATH, AT(classify.model), 0, TEXT_MAX, "", "",
     "File of the classifier's weights; empty is the installed one"},
    {"classify.monitor-ratio", SEK_OPT_REAL, AT(classify.monitor_ratio), 0, 100, "0", "",
     "Log likelihood ratio above which a name is recorded; 0 is the model's, 1 of 1,000 names"},
    {"classify.block-ratio", SEK_OPT_REAL, AT(classify.block_ratio), 0, 100, "0", "",
     "Log likelihood ratio above which a name may be blocked; 0 is the model's, 1 of 10,000 names"},

    {"dga.mode", SEK_OPT_CHOICE, AT(dga.mode), 0, 0, "monitor", "",
     "Endpoints that ask for series of machine-made names; block: the one of them that resolved",
     sek_mode_names},
    {"dga.names-per-alarm", SEK_OPT_UINT, AT(dga.names_per_alarm), 100, 1000000000000, "1000000",
     "names", "How many distinct benign names of an endpoint pass between two false alarms"},
    {"dga.fade", SEK_OPT_DURATION, AT(dga.fade_s), 60, 7 * DAY_S, "2h", "",
     "Evidence against an endpoint falls to 37 % in this time"},
    {"dga.endpoints", SEK_OPT_UINT, AT(dga.n_endpoints), 8, 1048576, "4096", "endpoints",
     "Watched at the same time, 1 KiB each; the longest silent makes room"},
    {"dga.lifetime", SEK_OPT_DURATION, AT(dga.lifetime_s), 60, 366 * DAY_S, "1d", "",
     "How long a finding blocks the domain that it suspects"},

    {"beacon.mode", SEK_OPT_CHOICE, AT(beacon.mode), 0, 0, "monitor", "",
     "Endpoints that ask for a new and rare domain by the clock; block: that domain",
     sek_mode_names},
    {"beacon.samples", SEK_OPT_UINT, AT(beacon.samples), 6, 63, "16", "intervals",
     "How often it must be asked for before it is judged"},
    {"beacon.period-min", SEK_OPT_DURATION, AT(beacon.period_min_s), 1, DAY_S, "20s", "",
     "Shorter periods are no beacons; queries within a quarter of it (at most 5s) are one"},
    {"beacon.span", SEK_OPT_DURATION, AT(beacon.span_s), 1, 30 * DAY_S, "10m", "",
     "How long it must have gone on; longer spares people who work with a new site for hours"},
    {"beacon.regularity", SEK_OPT_REAL, AT(beacon.regularity), 0, 1, "0.8", "",
     "Score from which on it is a finding: 1 for a clock, about 0.3 for people"},
    {"beacon.new", SEK_OPT_DURATION, AT(beacon.new_s), HOUR_S, 3660 * DAY_S, "30d", "",
     "Domains first seen longer ago are left out"},
    {"beacon.pairs", SEK_OPT_UINT, AT(beacon.n_pairs), 8, 4194304, "32768", "pairs",
     "Of endpoint and domain, watched at the same time, 664 octets each"},
    {"beacon.lifetime", SEK_OPT_DURATION, AT(beacon.lifetime_s), 60, 366 * DAY_S, "1d", "",
     "How long a finding blocks the domain"},
    {"beacon.exclude", SEK_OPT_NAMES, AT(beacon.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Names that are asked for by the clock for good reason (\"updates.example\")"},

    {"tunnel.mode", SEK_OPT_CHOICE, AT(tunnel.mode), 0, 0, "monitor", "",
     "Endpoints that send data out in names; block: the domain that gets it", sek_mode_names},
    {"tunnel.minute", SEK_OPT_UINT, AT(tunnel.minute), 100, 1000000000, "1000", "octets",
     "New information in names and answers below a domain within a minute that is a finding"},
    {"tunnel.hour", SEK_OPT_UINT, AT(tunnel.hour), 100, 1000000000, "4000", "octets",
     "The same within an hour"},
    {"tunnel.day", SEK_OPT_UINT, AT(tunnel.day), 100, 1000000000, "10000", "octets",
     "The same within a day"},
    {"tunnel.pairs", SEK_OPT_UINT, AT(tunnel.n_pairs), 8, 1048576, "16384", "pairs",
     "Of endpoint and domain, watched at the same time, 1.3 KiB each"},
    {"tunnel.lifetime", SEK_OPT_DURATION, AT(tunnel.lifetime_s), 60, 366 * DAY_S, "1d", "",
     "How long a finding blocks the domain"},
    {"tunnel.exclude", SEK_OPT_NAMES, AT(tunnel.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Services asked by random names, besides those known (\"dnsbl.example\")"},

    {"nxburst.mode", SEK_OPT_CHOICE, AT(nxburst.mode), 0, 0, "monitor", "",
     "Endpoints that ask for many domains that do not exist; there is none to block",
     sek_mode_names},
    {"nxburst.names", SEK_OPT_UINT, AT(nxburst.names), 5, 10000, "10", "domains",
     "How many distinct ones make a finding at least"},
    {"nxburst.fade", SEK_OPT_DURATION, AT(nxburst.fade_s), 60, DAY_S, "10m", "",
     "Evidence against an endpoint falls to 37 % in this time"},
    {"nxburst.endpoints", SEK_OPT_UINT, AT(nxburst.n_endpoints), 8, 1048576, "4096", "endpoints",
     "Watched at the same time, 0.6 KiB each"},

    {"fastflux.mode", SEK_OPT_CHOICE, AT(fastflux.mode), 0, 0, "monitor", "",
     "New or rare domains whose addresses change all the time; block: that domain",
     sek_mode_names},
    {"fastflux.score", SEK_OPT_REAL, AT(fastflux.score), 0, 10000, "142.38", "",
     "1.32 for each address and 18.54 for each network (ASN); above it is a finding (Holz 2008)"},
    {"fastflux.asns", SEK_OPT_UINT, AT(fastflux.asns), 2, 40, "5", "networks",
     "In how many networks (ASN) the addresses must lie; content networks have fewer"},
    {"fastflux.countries", SEK_OPT_UINT, AT(fastflux.countries), 1, 40, "3", "countries",
     "In how many countries they must lie"},
    {"fastflux.entropy", SEK_OPT_REAL, AT(fastflux.entropy), 0, 5, "2", "bits",
     "How evenly they must be spread over networks: 2 is four networks with the same share"},
    {"fastflux.turnover", SEK_OPT_REAL, AT(fastflux.turnover), 0, 1, "0.5", "",
     "How many of the addresses seen after the first ten must be new ones"},
    {"fastflux.ttl", SEK_OPT_DURATION, AT(fastflux.ttl_s), 1, DAY_S, "10m", "",
     "Answers that may be kept for longer on average are left out"},
    {"fastflux.window", SEK_OPT_DURATION, AT(fastflux.window_s), HOUR_S, 30 * DAY_S, "1d", "",
     "Addresses are counted for so long, then anew"},
    {"fastflux.new", SEK_OPT_DURATION, AT(fastflux.new_s), HOUR_S, 3660 * DAY_S, "30d", "",
     "Domains first seen longer ago are left out, unless they are rare (domains.rare)"},
    {"fastflux.popular", SEK_OPT_UINT, AT(fastflux.popular), 1, 100, "30", "endpoints",
     "Domains that more endpoints ask for are left out"},
    {"fastflux.domains", SEK_OPT_UINT, AT(fastflux.n_domains), 8, 262144, "4096", "domains",
     "Watched at the same time, 2.5 KiB each; the least spread makes room"},
    {"fastflux.lifetime", SEK_OPT_DURATION, AT(fastflux.lifetime_s), 60, 366 * DAY_S, "1d", "",
     "How long a finding blocks the domain"},
    {"fastflux.exclude", SEK_OPT_NAMES, AT(fastflux.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Names with ever new addresses for good reason (\"pool.example\")"},

    {"shortlived.mode", SEK_OPT_CHOICE, AT(shortlived.mode), 0, 0, "monitor", "",
     "New domains that lived a short while and are gone; block: should they come back",
     sek_mode_names},
    {"shortlived.new", SEK_OPT_DURATION, AT(shortlived.new_s), HOUR_S, 366 * DAY_S, "7d", "",
     "Domains first seen longer ago are left out"},
    {"shortlived.life", SEK_OPT_DURATION, AT(shortlived.life_s), HOUR_S, 366 * DAY_S, "3d", "",
     "How long a short-lived domain lives at most"},
    {"shortlived.ttl", SEK_OPT_DURATION, AT(shortlived.ttl_s), 1, DAY_S, "10m", "",
     "Domains whose answers may all be kept for longer are left out"},
    {"shortlived.silence", SEK_OPT_DURATION, AT(shortlived.silence_s), HOUR_S, 30 * DAY_S, "1d", "",
     "A domain that was busy and is not asked for so long is over"},
    {"shortlived.visits", SEK_OPT_UINT, AT(shortlived.visits), 4, 1000, "12", "visits",
     "How often a domain was asked for that ends by silence; one that ends by NXDOMAIN twice"},
    {"shortlived.domains", SEK_OPT_UINT, AT(shortlived.n_domains), 8, 262144, "4096", "domains",
     "Watched at the same time, 1.6 KiB each; the least visited makes room"},
    {"shortlived.lifetime", SEK_OPT_DURATION, AT(shortlived.lifetime_s), 60, 366 * DAY_S, "1d", "",
     "How long a finding blocks the domain"},
    {"shortlived.exclude", SEK_OPT_NAMES, AT(shortlived.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Names that come and go for good reason (\"lab.example\")"},

    {"surge.mode", SEK_OPT_CHOICE, AT(surge.mode), 0, 0, "monitor", "",
     "Endpoints that ask far more than they usually do in this hour of the week",
     sek_mode_names},
    {"surge.z", SEK_OPT_REAL, AT(surge.z), 2, 1000, "6", "standard deviations",
     "How far above its mean at least; more where the endpoint's own traffic jumps"},
    {"surge.floor", SEK_OPT_REAL, AT(surge.floor), 1, 1000000, "25", "queries a minute",
     "What stays below it over five minutes is no finding"},
    {"surge.learn", SEK_OPT_DURATION, AT(surge.learn_s), HOUR_S, 366 * DAY_S, "1d", "",
     "How long an endpoint must have been active before it is judged, by hours with queries"},
    {"surge.endpoints", SEK_OPT_UINT, AT(surge.n_endpoints), 8, 1048576, "50000", "endpoints",
     "Watched at the same time, 0.5 KiB each; the longest unseen makes room"},

    {"newrate.mode", SEK_OPT_CHOICE, AT(newrate.mode), 0, 0, "monitor", "",
     "Endpoints that ask for far more domains never seen here than they usually do",
     sek_mode_names},
    {"newrate.z", SEK_OPT_REAL, AT(newrate.z), 2, 1000, "6", "standard deviations",
     "How far above its mean at least; more where the endpoint's own rate jumps"},
    {"newrate.floor", SEK_OPT_REAL, AT(newrate.floor), 1, 1000000, "40", "domains an hour",
     "What stays below it is no finding"},
    {"newrate.learn", SEK_OPT_DURATION, AT(newrate.learn_s), 4 * HOUR_S, 366 * DAY_S, "2d", "",
     "How long an endpoint must have been active before it is judged, by blocks of four hours"},
    {"newrate.endpoints", SEK_OPT_UINT, AT(newrate.n_endpoints), 8, 1048576, "50000", "endpoints",
     "Watched at the same time, 0.25 KiB each; the longest unseen makes room"},

    {"bypass.mode", SEK_OPT_CHOICE, AT(bypass.mode), 0, 0, "monitor", "",
     "Endpoints that ask for public resolvers (DoH, DoT), anonymisers, dynamic DNS; none is blocked",
     sek_mode_names},
    {"bypass.list", SEK_OPT_PATH, AT(bypass.list), 0, TEXT_MAX, "", "",
     "Table of such names, as policy/bypass.tsv; empty is that one, which is built in"},
    {"bypass.queries", SEK_OPT_UINT, AT(bypass.queries), 1, 1000000, "1", "queries",
     "How many for names of one kind make a finding"},
    {"bypass.silent", SEK_OPT_DURATION, AT(bypass.silent_s), 60, 30 * DAY_S, "1d", "",
     "After such a pause a finding is over, and the next query begins another"},
    {"bypass.endpoints", SEK_OPT_UINT, AT(bypass.n_endpoints), 8, 1048576, "8192", "pairs",
     "Of endpoint and kind, watched at the same time, 0.6 KiB each"},
    {"bypass.canary", SEK_OPT_CHOICE, AT(bypass.canary), 0, 0, "off", "",
     "Answer to names by which browsers and systems ask whether they may bypass the resolver",
     sek_canary_names},
    {"bypass.exclude", SEK_OPT_NAMES, AT(bypass.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Names that are asked for with good reason (\"vpn.example\", \"dyn.example\")"},

    {"sinkholed.mode", SEK_OPT_CHOICE, AT(sinkholed.mode), 0, 0, "monitor", "",
     "Endpoints infected already: what they ask for leads to a sinkhole that somebody else runs",
     sek_mode_names},
    {"sinkholed.list", SEK_OPT_PATH, AT(sinkholed.list), 0, TEXT_MAX, "", "",
     "Table of such sinkholes, as policy/sinkholes.tsv; empty is that one, which is built in"},
    {"sinkholed.silent", SEK_OPT_DURATION, AT(sinkholed.silent_s), 60, 30 * DAY_S, "1d", "",
     "After such a pause a finding is over, and the next query begins another"},
    {"sinkholed.endpoints", SEK_OPT_UINT, AT(sinkholed.n_endpoints), 8, 1048576, "4096", "pairs",
     "Of endpoint and domain, watched at the same time, 0.5 KiB each"},
    {"sinkholed.lifetime", SEK_OPT_DURATION, AT(sinkholed.lifetime_s), 60, 366 * DAY_S, "1d", "",
     "How long a finding blocks the domain"},
    {"sinkholed.exclude", SEK_OPT_NAMES, AT(sinkholed.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Names that lead there for good reason (\"sinkhole.research.example\")"},

    {"udr.mode", SEK_OPT_CHOICE, AT(udr.mode), 0, 0, "monitor", "",
     "New addresses of names you choose in udr.domains; block: the name, if the country is new",
     sek_mode_names},
    {"udr.domains", SEK_OPT_NAMES, AT(udr.domains), 0, SEK_CONF_NAMES_MAX, "", "",
     "Names whose addresses are tracked, with all below (\"corp.example\", \"=portal.bank.example\")"},
    {"udr.exclude", SEK_OPT_NAMES, AT(udr.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Of these not, as their addresses change for good reason (\"cdn.corp.example\")"},
    {"udr.learn", SEK_OPT_DURATION, AT(udr.learn_s), 1, 366 * DAY_S, "7d", "",
     "For so long after its first answer a name's addresses are learned without findings"},
    {"udr.report", SEK_OPT_CHOICE, AT(udr.report), 0, 0, "network", "",
     "What must be new at least for a finding; any new address is recorded", &sek_news_names[1]},
    {"udr.addresses", SEK_OPT_UINT, AT(udr.n_addresses), 8, 4194304, "65536", "addresses",
     "Of all tracked names, remembered, some 60 octets each; what comes then is not tracked"},
    {"udr.retention", SEK_OPT_DURATION, AT(udr.retention_s), DAY_S, 3660 * DAY_S, "365d", "",
     "An address that was not given for so long is forgotten"},
    {"udr.lifetime", SEK_OPT_DURATION, AT(udr.lifetime_s), 60, 366 * DAY_S, "1d", "",
     "How long a finding blocks the name"},

    {"rebinding.mode", SEK_OPT_CHOICE, AT(rebinding.mode), 0, 0, "off", "",
     "Private addresses in answers for public names (DNS rebinding); block answers without data",
     sek_mode_names},
    {"rebinding.exclude", SEK_OPT_NAMES, AT(rebinding.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Public names that may have them, beside policy.never-block (\"plex.example\")"},

    {"domains.file", SEK_OPT_PATH, AT(domains.file), 0, TEXT_MAX, "", "",
     "History of the registered domains asked for here; empty is domains.seen beside events.db"},
    {"domains.memory", SEK_OPT_SIZE, AT(domains.memory_octets), MIB, 64 * GIB, "400m", "",
     "Cap of that file, which is mapped into memory: some 40 octets a domain"},
    {"domains.retention", SEK_OPT_DURATION, AT(domains.retention_s), DAY_S, 3660 * DAY_S, "365d",
     "", "A domain that nobody asked for so long is forgotten"},
    {"domains.warm-up", SEK_OPT_DURATION, AT(domains.warm_up_s), 1, 366 * DAY_S, "14d", "",
     "No domain counts as newly observed before the history is so old"},
    {"domains.new", SEK_OPT_DURATION, AT(domains.new_s), 60, 366 * DAY_S, "1d", "",
     "How long a domain is newly observed"},
    {"domains.rare", SEK_OPT_UINT, AT(domains.rare), 1, 30, "3", "endpoints",
     "A domain that more endpoints ask for is not rare"},

    {"answers.mode", SEK_OPT_BOOL, AT(answers.keep), 0, 0, "yes", "",
     "Remember which addresses DNS gave for which domain on which day, and domains' name servers"},
    {"answers.retention", SEK_OPT_DURATION, AT(answers.retention_s), DAY_S, 3660 * DAY_S, "30d", "",
     "How long; who asked is kept as long as events.retention"},
    {"answers.rows", SEK_OPT_UINT, AT(answers.n_rows), 1000, 1000000000, "1000000", "rows",
     "At most, of day, domain and address, some 50 octets each (a quarter as many name servers)"},

    {"nod.mode", SEK_OPT_CHOICE, AT(nod.mode), 0, 0, "monitor", "",
     "Newly observed domains; hold: sinkholed for nod.hold, block: for domains.new",
     sek_nod_mode_names},
    {"nod.hold", SEK_OPT_DURATION, AT(nod.hold_s), 1, 366 * DAY_S, "1d", "",
     "How long after its first query a domain is held back in mode hold; then it resolves"},
    {"nod.popular", SEK_OPT_UINT, AT(nod.popular), 0, 100, "30", "endpoints",
     "A domain that more endpoints ask for is neither held nor recorded; 0: all are"},
    {"nod.exclude", SEK_OPT_NAMES, AT(nod.exclude), 0, SEK_CONF_NAMES_MAX, "", "",
     "Names that are never held or recorded as newly observed (\"cdn.example\", \"=host.example\")"},

    {"risk.half-life", SEK_OPT_DURATION, AT(risk.half_life_s), 3600, 366 * DAY_S, "7d", "",
     "Evidence against an endpoint counts half after this time"},
    {"risk.alert", SEK_OPT_UINT, AT(risk.alert), 1, 100, "50", "",
     "Score from which sekisho endpoint list says alert"},
    {"risk.quarantine", SEK_OPT_UINT, AT(risk.quarantine), 1, 100, "80", "",
     "Score from which it proposes quarantine"},
    {"risk.automatic", SEK_OPT_BOOL, AT(risk.automatic), 0, 0, "no", "",
     "Whether `sekisho quarantine --by-risk` may do so by itself, from a timer"},

    {"geo.asn", SEK_OPT_PATH, AT(geo.asn), 0, TEXT_MAX, "", "",
     "Database of networks (ASN) in MaxMind's format: GeoLite2, DB-IP, IPinfo; empty: none"},
    {"geo.country", SEK_OPT_PATH, AT(geo.country), 0, TEXT_MAX, "", "",
     "Database of countries, likewise; may be the same file where one has both"},

    {"incident.packets", SEK_OPT_PATH, AT(incident.packets), 0, TEXT_MAX, "", "",
     "Captures and dnstap files for evidence, a pattern: /var/log/dns/{ring*,*.dnstap}"},

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

/* "off, monitor or block" */
static void print_choices(const struct sek_lookup *choices, char *out, size_t size)
{
    size_t at = 0;

    for (const struct sek_lookup *c = choices; c->name && at < size; c++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", c->name,
                               !c[1].name  ? ""
                               : c[2].name ? ", "
                                           : " or ");
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
    case SEK_OPT_REAL:
        snprintf(out, size, "a number, %" PRId64 " to %" PRId64, o->min, o->max);
        break;
    case SEK_OPT_CHOICE:
        print_choices(o->choices, out, size);
        break;
    }
    return out;
}
