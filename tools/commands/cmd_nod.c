/* SPDX-License-Identifier: BSD-3-Clause */
/* What the history of domains knows: `nod list`, `nod show` and `nod stats`. */
#include "tools/command.h"
#include "tools/views/seenrow.h"
#include "tools/print/talk.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(nod_list);
SEK_COMMAND(nod_show);
SEK_COMMAND(nod_stats);

#define LIMIT_DEFAULT 100     /* rows */
#define AHEAD_ROWS (1u << 10) /* collected before the oldest are dropped */

enum { OPT_SINCE, OPT_UNTIL, OPT_ENDPOINTS_MAX, OPT_UNRESOLVED, OPT_LIMIT, N_OPTS };
const struct sek_arg sek_cmd_nod_list_args[] = {
    [OPT_SINCE] = {"since", 's', SEK_ARG_TIME, "TIME", "first seen then or later"},
    [OPT_UNTIL] = {"until", 'u', SEK_ARG_TIME, "TIME", "first seen before then"},
    [OPT_ENDPOINTS_MAX] = {"endpoints-max", 0, SEK_ARG_NUMBER, "N",
                           "that at most about so many endpoints asked for", NULL, 0, 123},
    [OPT_UNRESOLVED] = {"unresolved", 0, SEK_ARG_FLAG, NULL, "only those that never resolved"},
    [OPT_LIMIT] = {"limit", 0, SEK_ARG_NUMBER, "N", "at most so many rows; default 100, 0 = all",
                   NULL, 0, UINT32_MAX - 1},
    [N_OPTS] = {0},
};
const struct sek_arg sek_cmd_nod_show_args[] = {{0}};
const struct sek_arg sek_cmd_nod_stats_args[] = {{0}};

/* --- list --------------------------------------------------------------------------------------
 */

struct row {
    struct sek_domain_seen seen;
    size_t at; /* of the name in `names` */
    uint8_t len;
};

/* The newest rows so far, each beginning with what `qsort` compares. */
struct rows {
    const struct sek_arg_value *opt;
    uint64_t limit;     /* 0: all */
    struct sek_buf all; /* struct row */
    struct sek_buf names;
    int64_t oldest_s; /* older ones have no place any more */
};

static size_t count_rows(const struct rows *r)
{
    return r->all.len / sizeof(struct row);
}

static int newest_first(const void *a, const void *b, void *names)
{
    const struct row *x = a, *y = b;
    if (x->seen.first_s != y->seen.first_s)
        return x->seen.first_s > y->seen.first_s ? -1 : 1;
    size_t n = x->len < y->len ? x->len : y->len;
    int order = memcmp((char *)names + x->at, (char *)names + y->at, n);
    return order ? order : (int)x->len - (int)y->len;
}

static void sort_rows(struct rows *r)
{
    if (r->all.len)
        qsort_r(r->all.data, count_rows(r), sizeof(struct row), newest_first, r->names.data);
}

/* Keep `limit` rows and their names. */
static void drop_oldest(struct rows *r)
{
    struct sek_buf names;
    struct row *rows = (struct row *)(void *)r->all.data;
    sort_rows(r);
    sek_buf_init(&names, 0);
    for (size_t i = 0; i < r->limit; i++) {
        sek_buf_add(&names, r->names.data + rows[i].at, rows[i].len);
        rows[i].at = names.len - rows[i].len;
    }
    sek_buf_fini(&r->names);
    r->names = names;
    r->all.len = r->limit * sizeof *rows;
    r->oldest_s = rows[r->limit - 1].seen.first_s;
}

static bool is_wanted(const struct rows *r, const struct sek_domain_seen *seen)
{
    const struct sek_arg_value *opt = r->opt;
    return seen->first_s >= r->oldest_s &&
           !(opt[OPT_SINCE].given && seen->first_s < opt[OPT_SINCE].number) &&
           !(opt[OPT_UNTIL].given && seen->first_s >= opt[OPT_UNTIL].number) &&
           !(opt[OPT_ENDPOINTS_MAX].given && seen->endpoints > opt[OPT_ENDPOINTS_MAX].number) &&
           !(opt[OPT_UNRESOLVED].given && seen->resolved);
}

static bool take_row(void *arg, const uint8_t *name, size_t len, const struct sek_domain_seen *seen)
{
    struct rows *r = arg;
    struct row row = {.seen = *seen, .at = r->names.len, .len = (uint8_t)len};
    if (!is_wanted(r, seen))
        return true;
    sek_buf_add(&r->names, name, len);
    sek_buf_add(&r->all, &row, sizeof row);
    if (r->all.failed || r->names.failed)
        return false;
    if (r->limit && count_rows(r) >= r->limit + AHEAD_ROWS)
        drop_oldest(r);
    return true;
}

/* One more than wanted is collected, to know whether there are more. */
static enum sek_err collect(struct sek_seen *s, struct rows *r)
{
    struct sek_diag *diag = &s->c->diag;
    enum sek_err e = sek_domains_each(s->domains, take_row, r, diag);
    if (!e && (r->all.failed || r->names.failed))
        e = sek_diag_set(diag, SEK_E_NOMEM, "out of memory for so many rows; try --limit");
    if (!e)
        sort_rows(r);
    return e;
}

static enum sek_err put_rows(struct sek_seen *s, const struct rows *r, uint64_t limit)
{
    struct sek_context *c = s->c;
    const struct row *rows = (const struct row *)(const void *)r->all.data;
    size_t n = count_rows(r);
    bool cut = limit && n > limit;
    sek_out_begin(c->out, "sekisho.nod.list/1", sek_seen_list_cols, SEK_SEEN_COLS, SEK_OUT_ROWS);
    for (size_t i = 0; i < (cut ? limit : n); i++) {
        struct sek_seen_domain d;
        sek_seen_join(s, (const uint8_t *)r->names.data + rows[i].at, &rows[i].seen, &d);
        if (!sek_seen_row(s, &d))
            break;
    }
    enum sek_err e = sek_out_end(c->out, &c->diag);
    if (!e && n == 0)
        return sek_context_none(c, "no domains");
    if (!e && cut && !c->opt[OPT_LIMIT].given)
        sek_talk("only the first %u rows; --limit 0 shows all", LIMIT_DEFAULT);
    return e;
}

enum sek_err sek_cmd_nod_list(struct sek_context *c)
{
    struct sek_seen s;
    uint64_t limit = c->opt[OPT_LIMIT].given ? (uint64_t)c->opt[OPT_LIMIT].number : LIMIT_DEFAULT;
    struct rows r = {.opt = c->opt, .limit = limit ? limit + 1 : 0, .oldest_s = INT64_MIN};
    enum sek_err e = sek_seen_open(c, &s);
    if (e)
        return e;
    sek_buf_init(&r.all, SIZE_MAX);
    sek_buf_init(&r.names, SIZE_MAX);
    e = collect(&s, &r);
    if (!e)
        e = put_rows(&s, &r, limit);
    sek_buf_fini(&r.all);
    sek_buf_fini(&r.names);
    sek_seen_close(&s);
    return e;
}

/* --- show --------------------------------------------------------------------------------------
 */

static enum sek_err show(struct sek_seen *s)
{
    struct sek_context *c = s->c;
    struct sek_name name, domain;
    struct sek_seen_domain seen;
    enum sek_err e = sek_seen_registered(c, s->conf, c->args[0], &name, &domain);
    if (e)
        return e;
    if (!sek_seen_find(s, &domain, &seen))
        return sek_context_none(c, "%s was never asked for here", seen.text);
    sek_out_begin(c->out, "sekisho.nod.show/1", sek_seen_show_cols, SEK_SEEN_COLS, SEK_OUT_RECORD);
    sek_seen_row(s, &seen);
    return sek_out_end(c->out, &c->diag);
}

enum sek_err sek_cmd_nod_show(struct sek_context *c)
{
    struct sek_seen s;
    enum sek_err e = sek_seen_open(c, &s);
    if (!e)
        e = show(&s);
    sek_seen_close(&s);
    return e;
}

/* --- stats -------------------------------------------------------------------------------------
 */

enum {
    S_KNOWN,
    S_ABSENT,
    S_OVERFLOW,
    S_EVICTED,
    S_EXPIRED,
    S_DAMAGED,
    S_SINCE,
    S_WARM_UP,
    S_MODE,
    S_FILE,
    S_OCTETS,
    S_MAX,
    S_PSL,
    S_PSL_FIRST,
    S_COLS
};
static const struct sek_col stats_cols[] = {
    [S_KNOWN] = {"known", "Domains", SEK_COL_UINT},
    [S_ABSENT] = {"absent", "Never resolved", SEK_COL_UINT},
    [S_OVERFLOW] = {"overflow", "  without room", SEK_COL_UINT},
    [S_EVICTED] = {"evicted", "  made room", SEK_COL_UINT},
    [S_EXPIRED] = {"expired", "  forgotten by age", SEK_COL_UINT},
    [S_DAMAGED] = {"damaged", "  blocks lost to damage", SEK_COL_UINT},
    [S_SINCE] = {"since", "History since (UTC)", SEK_COL_TIME},
    [S_WARM_UP] = {"warm_up_left_s", "  warm-up left", SEK_COL_DURATION},
    [S_MODE] = {"mode", "Mode", SEK_COL_TEXT},
    [S_FILE] = {"file", "File", SEK_COL_TEXT},
    [S_OCTETS] = {"octets", "  size", SEK_COL_OCTETS},
    [S_MAX] = {"max_octets", "  at most", SEK_COL_OCTETS},
    [S_PSL] = {"psl", "Public suffix list", SEK_COL_TEXT, "not known"},
    [S_PSL_FIRST] = {"psl_first", "  at the beginning", SEK_COL_TEXT, "not known"},
};

static void put_stats(struct sek_seen *s)
{
    struct sek_out *o = s->c->out;
    struct sek_domains_stats st;
    sek_domains_stats(s->domains, &st);
    sek_out_uint(o, S_KNOWN, st.n_known);
    sek_out_uint(o, S_ABSENT, st.n_absent);
    sek_out_uint(o, S_OVERFLOW, st.n_overflow);
    sek_out_tint(o, S_OVERFLOW, st.n_overflow ? SEK_TINT_WARN : SEK_TINT_NONE);
    sek_out_uint(o, S_EVICTED, st.n_evicted);
    sek_out_uint(o, S_EXPIRED, st.n_expired);
    sek_out_uint(o, S_DAMAGED, st.n_damaged);
    sek_out_int(o, S_SINCE, sek_domains_since_s(s->domains));
    sek_out_int(o, S_WARM_UP, sek_seen_warm_up_left(s));
    sek_out_text(o, S_MODE, sek_lookup_name(sek_nod_mode_names, s->conf->nod.mode));
    sek_out_text(o, S_FILE, s->path);
    sek_out_uint(o, S_OCTETS, st.octets);
    sek_out_uint(o, S_MAX, st.max_octets);
    sek_out_text(o, S_PSL, st.psl_last);
    sek_out_text(o, S_PSL_FIRST, st.psl_first);
}

enum sek_err sek_cmd_nod_stats(struct sek_context *c)
{
    struct sek_seen s;
    enum sek_err e = sek_seen_open(c, &s);
    if (!e) {
        sek_out_begin(c->out, "sekisho.nod.stats/1", stats_cols, S_COLS, SEK_OUT_RECORD);
        put_stats(&s);
        sek_out_row(c->out);
        e = sek_out_end(c->out, &c->diag);
    }
    sek_seen_close(&s);
    return e;
}
