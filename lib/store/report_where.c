/* SPDX-License-Identifier: BSD-3-Clause */
/* Filters of hits by what decided, and by networks of endpoints. */
#include "event/finding.h"
#include "store/report_parts.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

#define FEW_ENDPOINTS 200 /* up to so many their index serves */

const char *sek__report_by_word(int64_t by)
{
    if (by > SEK__BY_DETECTOR)
        return sek_lookup_name(sek_detector_names, (int)(by - SEK__BY_DETECTOR));
    if (by == SEK__BY_LIST)
        return "list";
    return sek_lookup_name(sek_trigger_names,
                           by == SEK__BY_DETECTOR ? SEK_TRIGGER_FINDING : (int)by);
}

static enum sek_err filter_by(struct sek_where *w, struct sek_diag *diag)
{
    int detector = sek_lookup_id(sek_detector_names, w->f->by);
    int trigger = sek_lookup_id(sek_trigger_names, w->f->by);
    bool is_list = strcmp(w->f->by, sek__report_by_word(SEK__BY_LIST)) == 0;
    if (detector <= 0 && trigger <= 0 && !is_list)
        return sek_diag_set(diag, SEK_E_INVALID, "nothing that decides is called \"%.60s\"",
                            w->f->by);
    w->by = is_list ? SEK__BY_LIST : trigger == SEK_TRIGGER_FINDING ? SEK__BY_DETECTOR : trigger;
    w->by_detector = detector > 0 ? SEK__BY_DETECTOR + detector : w->by;
    sek_buf_add_text(&w->text, " AND " SEK__BY_SQL " IN (:by, :by_detector)");
    return SEK_OK;
}

static enum sek_err filter_rule(struct sek_report *r, struct sek_where *w, struct sek_diag *diag)
{
    struct sek_name name;
    enum sek_scope scope;
    char path[SEK_NAME_TEXT_MAX];
    enum sek_err err = sek_rule_from_text(w->f->rule, strlen(w->f->rule), &scope, &name, diag);
    if (err)
        return err;
    sek_name_to_path(name.octets, path);
    w->scope = (int64_t)scope;
    err = sek__report_id(r, "SELECT id FROM name WHERE path = ?1", path, &w->owner, diag);
    w->nothing = w->nothing || (!err && !w->owner);
    sek_buf_add_text(&w->text, " AND h.owner = :owner AND h.scope = :scope");
    return err;
}

static bool is_within(const struct sek_hit_filter *f, const struct sek_addr *a)
{
    bool member = !f->members;
    for (size_t i = 0; i < f->n_members && !member; i++)
        member = sek_net_has(&f->members[i], a);
    return member && (!f->net || sek_net_has(f->net, a));
}

/* Addresses are texts: those within are looked up once, by all endpoints that there are. */
static enum sek_err filter_nets(struct sek_report *r, struct sek_where *w, struct sek_diag *diag)
{
    sqlite3_stmt *stmt = NULL;
    size_t n = 0;
    int rc;
    enum sek_err err = sek_sql_prepare(r->sql, "SELECT id, address FROM endpoint", &stmt, diag);
    if (err)
        return err;
    sek_buf_add_text(&w->ids, "[");
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct sek_addr addr;
        const char *text = (const char *)sqlite3_column_text(stmt, 1);
        if (text && sek_addr_from_text(text, &addr, NULL) == SEK_OK && is_within(w->f, &addr))
            sek_buf_add_fmt(&w->ids, "%s%" PRId64, n++ ? "," : "",
                            (int64_t)sqlite3_column_int64(stmt, 0));
    }
    if (rc != SQLITE_DONE)
        err = sek__report_fail(r, rc, diag);
    sqlite3_finalize(stmt);
    sek_buf_add_text(&w->ids, "]");
    if (!err && w->ids.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", r->path);
    w->nothing = w->nothing || n == 0;
    w->narrow = w->narrow || n <= FEW_ENDPOINTS;
    sek_buf_add_text(&w->text, n <= FEW_ENDPOINTS ? " AND h.endpoint" : " AND +h.endpoint");
    sek_buf_add_text(&w->text, " IN (SELECT value FROM json_each(:ids))");
    return err;
}

enum sek_err sek__report_where_more(struct sek_report *r, struct sek_where *w,
                                    struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    if (w->f->net || w->f->members)
        err = filter_nets(r, w, diag);
    if (!err && w->f->rule)
        err = filter_rule(r, w, diag);
    return !err && w->f->by ? filter_by(w, diag) : err;
}

void sek__report_bind_more(sqlite3_stmt *stmt, const struct sek_where *w)
{
    sek__report_bind_text(stmt, ":ids", w->ids.data);
    sek__report_bind_int(stmt, ":owner", w->owner);
    sek__report_bind_int(stmt, ":scope", w->scope);
    sek__report_bind_int(stmt, ":by", w->by);
    sek__report_bind_int(stmt, ":by_detector", w->by_detector);
}
