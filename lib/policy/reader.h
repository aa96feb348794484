/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading block lists of the formats people have: one table of formats, one streaming reader. Input
 * may be gzip (recognised by itself), of any size; a line is at most SEK_LINE_MAX octets. Bad lines
 * are reported one by one and skipped. One thread at a time. */
#pragma once
#include "base/addr.h"
#include "policy/rule.h"

#define SEK_LINE_MAX 4096 /* octets; longer lines are bad lines */
/* Lines of an input that no person wrote: programs end the last one, too. */
#define SEK_WHOLE_LINES 100

enum sek_format {
    SEK_FORMAT_AUTO = 0,
    SEK_FORMAT_PLAIN,   /* one name a line in list notation, # comments: "n" is the subtree */
    SEK_FORMAT_HOSTS,   /* "0.0.0.0 name [name …]": exactly these names */
    SEK_FORMAT_ADBLOCK, /* "||name^", "/expression/", "@@…" (an exception); others are reported */
    SEK_FORMAT_DNSMASQ, /* address=/name/…, server=/name/ and local=/name/ */
    SEK_FORMAT_RPZ,     /* zone file; QNAME triggers */
    SEK_FORMAT_UNBOUND, /* local-zone: "name" type, local-data: "name …" */
    SEK_FORMAT_REGEX,   /* one regular expression a line, as Pi-hole has them */
};
extern const struct sek_lookup sek_format_names[]; /* "auto" "plain" "hosts" … */

struct sek_read_rule {
    struct sek_name name;
    enum sek_scope scope;
    enum sek_action action; /* DEFAULT, or what the format says of this name (RPZ, @@, always_…) */
    const char *terms;      /* canonical (policy/terms_text.h), or NULL; borrowed for the call */
    uint64_t line;
    bool withdrawn; /* no rule, and such a rule elsewhere in the input is none either */
};

struct sek_reader_hooks {
    void *arg;
    /* A rule; a return other than SEK_OK ends the reading with that error. */
    enum sek_err (*rule)(void *arg, const struct sek_read_rule *rule);
    /* Optional. A line that was skipped, or a name of it: why is one sentence, safe to print. */
    void (*bad)(void *arg, uint64_t line, const char *why);
    /* Optional. The same for a line that was taken, but may not mean what it says. */
    void (*doubt)(void *arg, uint64_t line, const char *why);
    /* Take a last line without newline whatever comes before it: else, behind SEK_WHOLE_LINES
     * others, it is skipped, as the rest of a list that was cut off: half a name is another name.
     */
    bool any_end;
    /* Optional: addresses besides 0.0.0.0, :: and the loopback ones that mean "sinkhole". */
    const struct sek_addr *sinkhole;
    unsigned n_sinkhole;
    int64_t ttl_s; /* of answers by the settings: what says the same of a sinkhole says nothing */
    /* Optional: the input's path; files that it includes are looked for beside it. NULL: it may
     * include none, and one that does is INVALID. */
    const char *path;
    /* Optional: octets read so far of `total` (0 = unknown). */
    void (*progress)(void *arg, uint64_t octets, uint64_t total);
};

struct sek_read_stats {
    enum sek_format format;           /* the one used */
    uint64_t n_lines, n_rules, n_bad; /* comments and empty lines are neither */
    uint64_t n_unsupported;           /* lines that make sense, but are skipped as well */
    bool truncated; /* gzip stream or last zone record incomplete, or not a list at all (HTML,
                       binary): never to be trusted */
};

/* fd: read from where it stands to its end, not closed; may be a pipe. label: for errors.
 * SEK_E_CORRUPT when the gzip stream is damaged or ends early, or the input is no list (HTML,
 * binary). stats are filled also on failure, and rules may have been passed on by then. AUTO: of
 * the first lines each goes to the format that reads it, and the format with the most lines is
 * taken. */
enum sek_err sek_reader_run(int fd, const char *label, enum sek_format format,
                            const struct sek_reader_hooks *hooks, struct sek_read_stats *stats,
                            struct sek_diag *diag);
