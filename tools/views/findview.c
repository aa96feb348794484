/* SPDX-License-Identifier: BSD-3-Clause */
#include "findview.h"
#include "tools/print/talk.h"
#include "base/duration.h"
#include "base/mode.h"
#include "classify/classify.h"
#include "name/text.h"
#include "why.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

enum {
    LAST,
    FIRST,
    ENDPOINT,
    MACHINE,
    DETECTOR,
    KIND,
    DOMAIN,
    NAMES,
    NXDOMAINS,
    OCTETS_OUT,
    OCTETS_IN,
    CONFIDENCE,
    MODE,
    BLOCKED_UNTIL,
    ID,
    TECHNIQUE,
    TECHNIQUE_NAME,
    KIND_SHARE,
    SCORE,
    ALARM,
    BY_NAMES,
    BY_WORDS,
    BY_SHAPE,
    RESOLVED,
    RESOLVED_RATIO,
    EPISODE,
    PERIOD,
    JITTER,
    VISITS,
    SKEW,
    DISPERSION,
    RHYTHM,
    COVERAGE,
    MINUTE,
    HOUR,
    DAY,
    UNIQUE_SHARE,
    DATA_SHARE,
    RATIO,
    ADDRESSES,
    ASNS,
    COUNTRIES,
    NETWORKS,
    TTL,
    TURNOVER,
    ENTROPY,
    BASIS,
    ENDED,
    LIFETIME,
    RATE,
    RATE_PEAK,
    RATE_MEAN,
    RATE_DEVIATION,
    Z,
    Z_ALARM,
    RATE_UNIT,
    BASELINE,
    QUERIES,
    NEW_ADDRESS,
    NEW_ASN,
    NEW_NETWORK,
    NEW_COUNTRY,
    NEW_COUNT,
    KNOWN_SINCE,
    EARLIER,
    EXAMPLES,
    EVIDENCE,
    DISMISSED,
    DISMISSED_BY,
    DISMISSED_WHY,
    MACHINE_NAME, /* and the three behind it: the order of tools/views/machines.h */
    MACHINE_MAC,
    MACHINE_OWNER,
    MACHINE_GROUP,
    N_COLS
};

/* Every column; `path`: it is this member of the evidence. `in_list`, `in_record`: whether people
 * see it there; programs see all. */
static const struct {
    const char *key, *title;
    enum sek_col_kind kind;
    enum sek_col_place in_list, in_record;
    const char *path;
} all[N_COLS] = {
    [LAST] = {"last", "Last (UTC)", SEK_COL_TIME_MS, SEK_COL_BOTH, SEK_COL_BOTH, NULL},
    [FIRST] = {"first", "First (UTC)", SEK_COL_TIME_MS, SEK_COL_BOTH, SEK_COL_BOTH, NULL},
    [ENDPOINT] = {"endpoint", "Endpoint", SEK_COL_TEXT, SEK_COL_BOTH, SEK_COL_BOTH, NULL},
    [MACHINE] = {"machine", "Machine", SEK_COL_TEXT, SEK_COL_PEOPLE, SEK_COL_PEOPLE, NULL},
    [DETECTOR] = {"detector", "Detector", SEK_COL_TEXT, SEK_COL_BOTH, SEK_COL_BOTH, NULL},
    [KIND] = {"kind", "Kind", SEK_COL_TEXT, SEK_COL_BOTH, SEK_COL_BOTH, "$.kind"},
    [DOMAIN] = {"domain", "Suspected", SEK_COL_NAME, SEK_COL_BOTH, SEK_COL_BOTH, NULL},
    [NAMES] = {"names", "Names", SEK_COL_UINT, SEK_COL_BOTH, SEK_COL_FILLED, "$.names"},
    [NXDOMAINS] = {"nxdomains", "NXDOMAINs", SEK_COL_UINT, SEK_COL_BOTH, SEK_COL_FILLED,
                   "$.nxdomains"},
    [CONFIDENCE] = {"confidence", "Confidence", SEK_COL_REAL, SEK_COL_BOTH, SEK_COL_BOTH, NULL},
    [MODE] = {"mode", "Mode", SEK_COL_TEXT, SEK_COL_BOTH, SEK_COL_BOTH, NULL},
    [BLOCKED_UNTIL] = {"blocked_until", "Blocked until", SEK_COL_TIME, SEK_COL_BOTH, SEK_COL_BOTH,
                       NULL},
    [ID] = {"id", "Id", SEK_COL_UINT, SEK_COL_BOTH, SEK_COL_BOTH, NULL},
    [TECHNIQUE] = {"technique", "ATT&CK technique", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_BOTH,
                   NULL},
    [TECHNIQUE_NAME] = {"technique_name", "  name", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_BOTH,
                        NULL},
    [KIND_SHARE] = {"kind_share", "Share of kind", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                    "$.kind_share"},
    [SCORE] = {"score", "Score", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED, "$.score"},
    [ALARM] = {"alarm", "  a finding from", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
               "$.alarm"},
    [BY_NAMES] = {"score_names", "  by single names", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                  "$.parts.names"},
    [BY_WORDS] = {"score_words", "  by shared words", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                  "$.parts.words"},
    [BY_SHAPE] = {"score_shape", "  by likeness", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                  "$.parts.shape"},
    [RESOLVED] = {"resolved", "Likeliest that exists", SEK_COL_NAME, SEK_COL_MACHINE,
                  SEK_COL_FILLED, "$.resolved"},
    [RESOLVED_RATIO] = {"resolved_ratio", "  log ratio", SEK_COL_REAL, SEK_COL_MACHINE,
                        SEK_COL_FILLED, "$.resolved_ratio"},
    [EPISODE] = {"episode", "Episode", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED, "$.episode"},
    [PERIOD] = {"period_s", "Period, seconds", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                "$.period_s"},
    [JITTER] = {"jitter", "  jitter", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED, "$.jitter"},
    [VISITS] = {"visits", "Visits", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED, "$.visits"},
    [SKEW] = {"skew", "  skew", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED, "$.skew"},
    [DISPERSION] = {"dispersion", "  dispersion", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                    "$.dispersion"},
    [RHYTHM] = {"rhythm", "  rhythm", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED, "$.rhythm"},
    [COVERAGE] = {"coverage", "  coverage", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                  "$.coverage"},
    [OCTETS_OUT] = {"octets_out", "Octets out", SEK_COL_UINT, SEK_COL_FILLED, SEK_COL_FILLED,
                    "$.octets_out"},
    [OCTETS_IN] = {"octets_in", "Octets in", SEK_COL_UINT, SEK_COL_FILLED, SEK_COL_FILLED,
                   "$.octets_in"},
    [MINUTE] = {"octets_minute", "  new, a minute", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                "$.minute"},
    [HOUR] = {"octets_hour", "  new, an hour", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
              "$.hour"},
    [DAY] = {"octets_day", "  new, a day", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED, "$.day"},
    [UNIQUE_SHARE] = {"unique_share", "  never again", SEK_COL_REAL, SEK_COL_MACHINE,
                      SEK_COL_FILLED, "$.unique_share"},
    [DATA_SHARE] = {"data_type_share", "  of data types", SEK_COL_REAL, SEK_COL_MACHINE,
                    SEK_COL_FILLED, "$.data_type_share"},
    [RATIO] = {"nxdomain_ratio", "Share of NXDOMAIN", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
               "$.ratio"},
    [ADDRESSES] = {"addresses", "Addresses", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED,
                   "$.addresses"},
    [ASNS] = {"asns", "  in networks (ASN)", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED,
              "$.asns"},
    [COUNTRIES] = {"countries", "  in countries", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED,
                   "$.countries"},
    [NETWORKS] = {"networks", "  in address ranges", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED,
                  "$.networks"},
    [TTL] = {"ttl_s", "TTL, seconds", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED, "$.ttl_s"},
    [TURNOVER] = {"turnover", "New addresses", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                  "$.turnover"},
    [ENTROPY] = {"entropy", "  entropy, bits", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                 "$.entropy"},
    [BASIS] = {"basis", "By", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_FILLED, "$.basis"},
    [ENDED] = {"ended", "Ended by", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_FILLED, "$.ended"},
    [LIFETIME] = {"lifetime_s", "Lived, seconds", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED,
                  "$.lifetime_s"},
    [RATE] = {"rate", "Rate", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED, "$.rate"},
    [RATE_PEAK] = {"rate_peak", "  at its peak", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                   "$.rate_peak"},
    [RATE_MEAN] = {"rate_mean", "  usually", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                   "$.rate_mean"},
    [RATE_DEVIATION] = {"rate_deviation", "  deviation", SEK_COL_REAL, SEK_COL_MACHINE,
                        SEK_COL_FILLED, "$.rate_deviation"},
    [Z] = {"z", "  deviations above", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED, "$.z"},
    [Z_ALARM] = {"z_alarm", "  a finding from", SEK_COL_REAL, SEK_COL_MACHINE, SEK_COL_FILLED,
                 "$.z_alarm"},
    [RATE_UNIT] = {"rate_unit", "  unit", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_FILLED, "$.unit"},
    [BASELINE] = {"baseline", "  measured by", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_FILLED,
                  "$.baseline"},
    [QUERIES] = {"queries", "Queries", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED, "$.queries"},
    [NEW_ADDRESS] = {"new_address", "Address", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_FILLED,
                     "$.address"},
    [NEW_ASN] = {"new_asn", "  in network AS", SEK_COL_UINT, SEK_COL_MACHINE, SEK_COL_FILLED,
                 "$.asn"},
    [NEW_NETWORK] = {"new_network", "  run by", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_FILLED,
                     "$.network"},
    [NEW_COUNTRY] = {"new_country", "  in country", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_FILLED,
                     "$.country"},
    [NEW_COUNT] = {"new_addresses", "  new ones in the answer", SEK_COL_UINT, SEK_COL_MACHINE,
                   SEK_COL_FILLED, "$.new_addresses"},
    [KNOWN_SINCE] = {"known_since", "Name known since", SEK_COL_TEXT, SEK_COL_MACHINE,
                     SEK_COL_FILLED, "$.known_since"},
    [EARLIER] = {"earlier", "  earlier addresses", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_FILLED,
                 "$.earlier"},
    [EXAMPLES] = {"examples", "Names asked for", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_MACHINE,
                  "$.examples"},
    [EVIDENCE] = {"evidence", "Evidence", SEK_COL_JSON, SEK_COL_MACHINE, SEK_COL_MACHINE, NULL},
    [DISMISSED] = {"dismissed", "Dismissed", SEK_COL_TIME, SEK_COL_FILLED, SEK_COL_FILLED, NULL},
    [DISMISSED_BY] = {"dismissed_by", "  by", SEK_COL_TEXT, SEK_COL_FILLED, SEK_COL_FILLED, NULL},
    [DISMISSED_WHY] = {"dismissed_why", "  why", SEK_COL_TEXT, SEK_COL_FILLED, SEK_COL_FILLED,
                       NULL},
    [MACHINE_NAME] = {"endpoint_name", "Name", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_MACHINE,
                      NULL},
    [MACHINE_MAC] = {"endpoint_mac", "MAC", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_MACHINE, NULL},
    [MACHINE_OWNER] = {"endpoint_owner", "Owner", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_MACHINE,
                       NULL},
    [MACHINE_GROUP] = {"endpoint_group", "Group", SEK_COL_TEXT, SEK_COL_MACHINE, SEK_COL_MACHINE,
                       NULL},
};
_Static_assert(N_COLS <= SEK_OUT_COLS_MAX, "a report holds that many columns");

/* MITRE ATT&CK, enterprise: names of the techniques that detectors refer to. */
static const struct {
    const char *id, *name;
} techniques[] = {
    {"T1568", "Dynamic Resolution"},
    {"T1568.001", "Dynamic Resolution: Fast Flux DNS"},
    {"T1568.002", "Dynamic Resolution: Domain Generation Algorithms"},
    {"T1071", "Application Layer Protocol"},
    {"T1071.004", "Application Layer Protocol: DNS"},
    {"T1572", "Protocol Tunneling"},
    {"T1090", "Proxy"},
    {"T1584.002", "Compromise Infrastructure: DNS Server"},
};

unsigned sek_find_members(const char *out_paths[SEK_FIND_MEMBERS_MAX])
{
    unsigned n = 0;
    for (unsigned i = 0; i < N_COLS; i++)
        if (all[i].path)
            out_paths[n++] = all[i].path;
    return n;
}

static void view_init(struct sek_find_view *v, struct sek_context *c, bool record)
{
    v->out = c->out;
    v->conf = &c->conf;
    v->now_s = c->now_s;
    struct sek_diag why = {0};
    char path[SEK_CONF_TEXT_MAX + 16];
    if (sek_dismissed_read(sek_dismissed_path(c->conf.policy.dir, path, sizeof path), &v->dismissed,
                           &why))
        sek_talk("what was dismissed is not known: %s", why.text);
    for (unsigned i = 0; i < N_COLS; i++)
        v->cols[i] = (struct sek_col){.key = all[i].key,
                                      .title = all[i].title,
                                      .kind = all[i].kind,
                                      .place = record ? all[i].in_record : all[i].in_list};
    sek_machines_open(&v->machines, c);
    sek_machines_hide(&v->machines, &v->cols[MACHINE]);
}

void sek_find_view_init(struct sek_find_view *v, struct sek_context *c, const char *schema,
                        bool record)
{
    view_init(v, c, record);
    sek_out_begin(c->out, schema, v->cols, N_COLS, record ? SEK_OUT_RECORD : SEK_OUT_ROWS);
}

void sek_find_view_part(struct sek_find_view *v, struct sek_context *c, const char *key)
{
    view_init(v, c, false);
    v->cols[ID].place = SEK_COL_NOWHERE;
    sek_out_part(c->out, key, v->cols, N_COLS, SEK_OUT_ROWS);
}

void sek_find_view_fini(struct sek_find_view *v)
{
    sek_machines_close(&v->machines);
    sek_dismissed_fini(&v->dismissed);
}

const struct sek_dismissal *sek_find_dismissal(const struct sek_find_view *v,
                                               const struct sek_finding_row *f)
{
    struct sek_addr endpoint;
    struct sek_name name = {.len = 0};
    if (sek_addr_from_text(f->endpoint, &endpoint, NULL))
        return NULL;
    if (*f->domain && sek_name_from_text(f->domain, strlen(f->domain), &name, NULL))
        return NULL;
    return sek_dismissed_find(&v->dismissed, (enum sek_detector)f->detector, &endpoint, name.octets,
                              name.len);
}

static void put_dismissal(struct sek_find_view *v, const struct sek_finding_row *f)
{
    const struct sek_dismissal *d = sek_find_dismissal(v, f);
    if (!d)
        return;
    sek_out_int(v->out, DISMISSED, d->time_s);
    sek_out_text(v->out, DISMISSED_BY, d->who);
    sek_out_text(v->out, DISMISSED_WHY, d->why);
}

/* A number as the evidence has it; what is none is left out. */
static void put_real(struct sek_out *o, unsigned col, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    const char *point = strchr(text, '.');
    size_t decimals = point ? strspn(point + 1, "0123456789") : 0;
    if (end != text && *end == '\0')
        sek_out_real(o, col, v, decimals < 9 ? (int)decimals : 9);
}

static void put_uint(struct sek_out *o, unsigned col, const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (end != text && *end == '\0' && *text != '-')
        sek_out_uint(o, col, n);
}

static void put_members(struct sek_out *o, const char *const *members)
{
    for (unsigned i = 0, at = 0; i < N_COLS; i++) {
        const char *text = all[i].path ? members[at++] : NULL;
        if (!text || !*text)
            continue;
        if (all[i].kind == SEK_COL_REAL)
            put_real(o, i, text);
        else if (all[i].kind == SEK_COL_UINT)
            put_uint(o, i, text);
        else
            sek_out_text(o, i, text);
    }
}

static void put_mode(struct sek_find_view *v, const struct sek_finding_row *f)
{
    bool runs = f->blocked_until_s > v->now_s;
    sek_out_text(v->out, MODE, sek_lookup_name(sek_mode_names, f->mode));
    if (f->blocked_until_s)
        sek_out_int(v->out, BLOCKED_UNTIL, f->blocked_until_s);
    sek_out_tint(v->out, BLOCKED_UNTIL, runs ? SEK_TINT_BAD : SEK_TINT_FAINT);
}

static void put_technique(struct sek_out *o, const char *id)
{
    sek_out_text(o, TECHNIQUE, id);
    for (size_t i = 0; i < sizeof techniques / sizeof techniques[0]; i++)
        if (strcmp(techniques[i].id, id) == 0)
            sek_out_text(o, TECHNIQUE_NAME, techniques[i].name);
}

bool sek_find_view_row(struct sek_find_view *v, const struct sek_finding_row *f)
{
    struct sek_out *o = v->out;
    sek_out_int(o, LAST, f->end_ms);
    sek_out_int(o, FIRST, f->start_ms);
    sek_out_text(o, ENDPOINT, f->endpoint);
    sek_out_text(o, DETECTOR, sek_lookup_name(sek_detector_names, f->detector));
    if (*f->domain)
        sek_out_text(o, DOMAIN, f->domain);
    sek_out_real(o, CONFIDENCE, f->confidence, 2);
    put_mode(v, f);
    sek_out_uint(o, ID, (uint64_t)f->id);
    put_technique(o, f->technique);
    put_members(o, f->members);
    sek_out_text(o, EVIDENCE, f->evidence);
    put_dismissal(v, f);
    sek_machines_put(&v->machines, o, MACHINE, MACHINE_NAME, f->endpoint, f->end_ms / 1000);
    return sek_out_row(o);
}

/* --- a record's further parts ------------------------------------------------------------------
 */

enum { E_NAME, E_WHY, E_COLS };
static const struct sek_col example_cols[] = {
    [E_NAME] = {"name", "Names asked for", SEK_COL_NAME},
    [E_WHY] = {"why", "Why", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
};

static void put_example(struct sek_out *o, const struct sek_classify *model, const char *text)
{
    struct sek_name name;
    struct sek_why why;
    struct sek_buf line;
    sek_buf_init(&line, 0);
    sek_out_text(o, E_NAME, text);
    if (model && sek_name_from_text(text, strlen(text), &name, NULL) == SEK_OK) {
        sek_classify_explain(model, &name, &why);
        sek_why_text(&name, &why, &line);
        sek_out_text(o, E_WHY, line.data);
    }
    sek_out_row(o);
    sek_buf_fini(&line);
}

void sek_find_examples(struct sek_find_view *v, const struct sek_finding_row *f)
{
    const char *all_names = "";
    for (unsigned i = 0, at = 0; i < N_COLS; i++)
        if (all[i].path && f->members[at++] && i == EXAMPLES)
            all_names = f->members[at - 1];
    struct sek_classify *model = *all_names ? sek_why_model(v->conf) : NULL;
    sek_out_part(v->out, "examples", example_cols, E_COLS, SEK_OUT_ROWS);
    for (const char *p = all_names; *p; p += strspn(p, " ")) {
        char one[SEK_NAME_TEXT_MAX];
        size_t len = strcspn(p, " "); /* no name has a blank */
        snprintf(one, sizeof one, "%.*s", (int)len, p);
        put_example(v->out, model, one);
        p += len;
    }
    sek_classify_close(model);
}

enum { N_COMMAND, N_WHAT, N_NEXT_COLS };
static const struct sek_col next_cols[] = {
    [N_COMMAND] = {"command", "What to do next", SEK_COL_TEXT},
    [N_WHAT] = {"what", "It shows or does", SEK_COL_TEXT},
};

/* As one word of a shell: names hold any character. */
static void add_quoted(struct sek_buf *b, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-:";
    if (*text && *text != '-' && strspn(text, plain) == strlen(text)) {
        sek_buf_add_text(b, text);
        return;
    }
    sek_buf_add_text(b, "'");
    for (; *text; text++)
        sek_buf_add(b, *text == '\'' ? "'\\''" : text, *text == '\'' ? 4 : 1);
    sek_buf_add_text(b, "'");
}

/* "sekisho <verb> <word><rest>" */
static void put_next(struct sek_out *o, const char *verb, const char *word, const char *rest,
                     const char *what)
{
    struct sek_buf b;
    sek_buf_init(&b, 0);
    sek_buf_add_fmt(&b, "sekisho %s ", verb);
    add_quoted(&b, word);
    sek_buf_add_text(&b, rest);
    sek_out_text(o, N_COMMAND, b.data);
    sek_out_text(o, N_WHAT, what);
    sek_out_row(o);
    sek_buf_fini(&b);
}

void sek_find_next(struct sek_find_view *v, const struct sek_finding_row *f)
{
    struct sek_out *o = v->out;
    char since[64], by_domain[80], reason[64], time[32];
    sek_time_to_text(f->start_ms / 1000, time, sizeof time);
    snprintf(since, sizeof since, " --since %s", time);
    snprintf(by_domain, sizeof by_domain, " --by domain --since %s", time);
    snprintf(reason, sizeof reason, " --reason 'finding %" PRId64 "'", f->id);
    sek_out_part(o, "next", next_cols, N_NEXT_COLS, SEK_OUT_ROWS);
    put_next(o, "hits --endpoint", f->endpoint, since, "what of it met a rule");
    put_next(o, "stats --endpoint", f->endpoint, by_domain, "all that it asked for");
    if (!*f->domain)
        return;
    snprintf(by_domain, sizeof by_domain, " --by endpoint --since %s", time);
    put_next(o, "stats --domain", f->domain, by_domain, "who else asked for the suspected domain");
    put_next(o, "explain", f->domain, "", "how it is judged now");
    put_next(o, "block", f->domain, reason, "block it for all, for good");
    put_next(o, "allow", f->domain, reason, "a false alarm: never block it");
    snprintf(since, sizeof since, "%" PRId64, f->id);
    put_next(o, "findings dismiss", since, " --reason TEXT", "a false alarm: report it no more");
}
