/* SPDX-License-Identifier: BSD-3-Clause */
#include "incidentid.h"
#include "tools/change/change.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

enum sek_err sek_incident_id(struct sek_context *c, int64_t *out)
{
    char *end;
    *out = strtoll(c->args[0], &end, 10);
    if (*end || end == c->args[0] || *out <= 0)
        return sek_context_usage(
            c, "\"%.100s\" is no incident's number, see: sekisho incident list", c->args[0]);
    return SEK_OK;
}

enum sek_err sek_incident_look(struct sek_context *c, struct sek_policydb **out_db,
                               struct sek_incident *out)
{
    const struct sek_conf *conf;
    int64_t id;
    *out_db = NULL;
    enum sek_err e = sek_incident_id(c, &id);
    if (!e)
        e = sek_change_look(c, &conf, out_db);
    if (e)
        return e;
    e = sek_incident_get(*out_db, id, out, &c->diag);
    if (!e)
        return SEK_OK;
    sek_policydb_close(*out_db);
    *out_db = NULL;
    return e == SEK_E_NOTFOUND ? sek_context_usage(c, "%s", c->diag.text) : e;
}

enum { A_ID, A_STATE, A_TITLE, A_OPENED, A_CLOSED, A_COLS };
static const struct sek_col about_cols[] = {
    [A_ID] = {"id", "Incident", SEK_COL_UINT},
    [A_STATE] = {"state", "State", SEK_COL_TEXT},
    [A_TITLE] = {"title", "Title", SEK_COL_TEXT},
    [A_OPENED] = {"opened", "Opened (UTC)", SEK_COL_TIME},
    [A_CLOSED] = {"closed", "Closed (UTC)", SEK_COL_TIME},
};

struct about {
    struct sek_context *c;
    struct sek_policydb *db;
    enum sek_incident_kind kind;
    const char *const *values;
    unsigned n;
    int64_t latest; /* incident that was told of last */
};

static bool put_one(void *arg, const struct sek_incident_subject *s)
{
    struct about *a = arg;
    struct sek_out *o = a->c->out;
    struct sek_incident i;
    bool is_it = false;
    for (unsigned k = 0; k < a->n && !is_it; k++)
        is_it = s->kind == a->kind && strcasecmp(s->value, a->values[k]) == 0;
    if (!is_it || s->incident == a->latest || sek_incident_get(a->db, s->incident, &i, NULL))
        return true;
    a->latest = s->incident;
    sek_out_uint(o, A_ID, (uint64_t)i.id);
    sek_out_text(o, A_STATE, sek_lookup_name(sek_incident_state_names, (int)i.state));
    sek_out_text(o, A_TITLE, i.title);
    sek_out_int(o, A_OPENED, i.opened_s);
    if (i.closed_s)
        sek_out_int(o, A_CLOSED, i.closed_s);
    return sek_out_row(o);
}

enum sek_err sek_incident_put_about(struct sek_context *c, struct sek_policydb *db,
                                    enum sek_incident_kind kind, const char *const *values,
                                    unsigned n)
{
    struct about a = {c, db, kind, values, n, 0};
    sek_out_part(c->out, "incidents", about_cols, A_COLS, SEK_OUT_ROWS);
    return db ? sek_incident_subjects(db, 0, put_one, &a, &c->diag) : SEK_OK;
}
