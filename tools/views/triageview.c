/* SPDX-License-Identifier: BSD-3-Clause */
#include "triageview.h"
#include "tools/print/talk.h"
#include "base/banned.h"

const struct sek_lookup sek_triage_choices[] = {{SEK_TRIAGE_NEW, "new"},
                                                {SEK_TRIAGE_IN_PROGRESS, "in-progress"},
                                                {SEK_TRIAGE_FALSE_POSITIVE, "false-positive"},
                                                {SEK_TRIAGE_CONTAINED, "contained"},
                                                {SEK_TRIAGE_CLOSED, "closed"},
                                                {SEK_TRIAGE_OPEN, "open"},
                                                {0, NULL}};

enum sek_err sek_triageview_open(struct sek_triageview *v, struct sek_context *c,
                                 const struct sek_arg_value *filter)
{
    struct sek_policydb *db = NULL;
    struct sek_diag why;
    *v = (struct sek_triageview){.filtered = filter->given, .wanted = (int)filter->number};
    enum sek_err e = sek_policydb_open(c->conf.policy.db, false, &db, &why);
    if (!e || e == SEK_E_NOTFOUND)
        e = sek_triage_load(db, &v->set, &why);
    sek_policydb_close(db);
    if (e && v->filtered)
        return sek_diag_set(&c->diag, e, "--triage: %s", why.text);
    if (e)
        sek_talk("triage is not shown: %s", why.text);
    return SEK_OK;
}

void sek_triageview_close(struct sek_triageview *v)
{
    sek_triage_free(v->set);
    v->set = NULL;
}

bool sek_triageview_find(const struct sek_triageview *v, const char *domain, const char *endpoint,
                         int64_t last_ms, const struct sek_triage **out)
{
    *out = sek_triage_find(v->set, domain, endpoint);
    enum sek_triage_state state = sek_triage_of(*out, last_ms);
    if (!v->filtered)
        return true;
    if (v->wanted == SEK_TRIAGE_OPEN)
        return state == SEK_TRIAGE_NEW || state == SEK_TRIAGE_IN_PROGRESS;
    return (int)state == v->wanted;
}

void sek_triageview_put(const struct sek_triageview *v, struct sek_out *o, unsigned first,
                        const struct sek_triage *row, int64_t last_ms)
{
    enum sek_triage_state state = sek_triage_of(row, last_ms);
    if (v->set && (row || sek_out_format(o) != SEK_OUT_TABLE))
        sek_out_text(o, first, sek_lookup_name(sek_triage_names, (int)state));
    sek_out_tint(o, first, state == SEK_TRIAGE_IN_PROGRESS ? SEK_TINT_WARN : SEK_TINT_NONE);
    if (!row)
        return;
    sek_out_text(o, first + 1, row->who);
    sek_out_int(o, first + 2, row->time_s);
    sek_out_text(o, first + 3, row->note);
}
