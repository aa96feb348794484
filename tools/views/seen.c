/* SPDX-License-Identifier: BSD-3-Clause */
#include "seen.h"
#include "geoopen.h"
#include "tools/print/talk.h"
#include <stdio.h>
#include "base/banned.h"

enum sek_err sek_seen_open(struct sek_context *c, struct sek_seen *out)
{
    *out = (struct sek_seen){.c = c};
    enum sek_err e = sek_context_conf(c, &out->conf);
    if (e)
        return e;
    sek_conf_domains_file(out->conf, out->path);
    e = sek_domains_open_read(out->path, &out->domains, &c->diag);
    if (e == SEK_E_NOTFOUND)
        return sek_diag_set(&c->diag, e,
                            "there is no history of domains %s yet: the resolver makes it when it "
                            "first runs with the module, and sekisho nod import fills it from logs",
                            out->path);
    return e;
}

void sek_seen_close(struct sek_seen *s)
{
    sek_first_reader_close(s->first);
    sek_report_close(s->report);
    sek_domains_close(s->domains);
    sek_geo_free(s->geo);
}

static bool open_report(struct sek_seen *s)
{
    struct sek_diag why = {0};
    s->told = true;
    enum sek_err e = sek_report_open(s->conf->events.db, &s->report, &why);
    if (!e)
        e = sek_first_reader_open(s->report, &s->first, &why);
    if (!e)
        s->geo = sek_geo_open(s->conf, s->c->now_s);
    if (e && e != SEK_E_NOTFOUND)
        sek_talk("who asked first is not shown: %s", why.text);
    return !e;
}

/* --- a domain ----------------------------------------------------------------------------------
 */

static void widen(struct sek_seen_domain *d, int64_t first_s, int64_t last_s, uint64_t endpoints)
{
    d->first_s = first_s < d->first_s ? first_s : d->first_s;
    d->last_s = last_s > d->last_s ? last_s : d->last_s;
    d->endpoints = endpoints > d->endpoints ? endpoints : d->endpoints;
}

static void not_shown(struct sek_seen *s, const struct sek_diag *why)
{
    sek_talk("who asked first is not shown: %s", why->text);
    sek_first_reader_close(s->first);
    s->first = NULL;
}

void sek_seen_join(struct sek_seen *s, const uint8_t *name, const struct sek_domain_seen *history,
                   struct sek_seen_domain *out)
{
    struct sek_diag why = {0};
    *out = (struct sek_seen_domain){.first_s = INT64_MAX, .last_s = INT64_MIN};
    sek_name_to_text(name, out->text);
    if (history) {
        out->in_history = true;
        out->history = *history;
        widen(out, history->first_s, history->last_s, history->endpoints);
    }
    if (!s->first && (s->told || !open_report(s)))
        return;
    enum sek_err e = sek_first_reader_get(s->first, out->text, &out->first, &why);
    out->has_first = !e;
    if (!e)
        widen(out, out->first.first_ms / 1000, out->first.first_ms / 1000, 1);
    if (!e && out->first.queries > 0)
        out->queries = (uint64_t)out->first.queries;
    if (e && e != SEK_E_NOTFOUND)
        not_shown(s, &why);
}

static bool take_traffic(void *arg, const struct sek_traffic_row *row)
{
    *(struct sek_traffic_row *)arg = *row;
    return false;
}

/* In place of who asked first as far as that was written down. */
static bool take_hit(void *arg, const struct sek_hit *hit)
{
    struct sek_seen_domain *d = arg;
    if (d->has_first && d->first.first_ms <= hit->first_ms)
        return false;
    d->has_first = true;
    d->first.first_ms = hit->first_ms;
    d->first.qtype = hit->qtype;
    d->first.refused = sek_action_blocks((enum sek_action)hit->action);
    snprintf(d->first.endpoint, sizeof d->first.endpoint, "%s", hit->endpoint);
    snprintf(d->first.name, sizeof d->first.name, "%s", hit->name);
    return false;
}

bool sek_seen_find(struct sek_seen *s, const struct sek_name *domain, struct sek_seen_domain *out)
{
    struct sek_domain_seen history;
    struct sek_traffic_row all = {0};
    struct sek_diag why = {0};
    bool known = s->domains && sek_domains_find(s->domains, domain->octets, domain->len, &history);
    sek_seen_join(s, domain->octets, known ? &history : NULL, out);
    const struct sek_hit_filter oldest = {.name = out->text, .oldest_first = true, .limit = 1};
    enum sek_err e = SEK_OK;
    if (s->first)
        e = sek_report_traffic(s->report, 0, 0, NULL, out->text, SEK_TRAFFIC_TOTAL, 0, take_traffic,
                               &all, &why);
    if (!e && all.hits && (!out->has_first || all.first_ms < out->first.first_ms))
        e = sek_report_hits(s->report, &oldest, take_hit, out, &why);
    if (e)
        not_shown(s, &why);
    if (!e && all.queries)
        widen(out, (out->has_first ? out->first.first_ms : all.first_ms) / 1000, all.last_ms / 1000,
              all.n_endpoints);
    out->queries = all.queries > out->queries ? all.queries : out->queries;
    return out->in_history || out->has_first || all.queries;
}

int64_t sek_seen_warm_up_left(const struct sek_seen *s)
{
    int64_t warm_s = sek_domains_since_s(s->domains) + s->conf->domains.warm_up_s;
    return warm_s > s->c->now_s ? warm_s - s->c->now_s : 0;
}
