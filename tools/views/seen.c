/* SPDX-License-Identifier: BSD-3-Clause */
#include "seen.h"
#include "geoopen.h"
#include "tools/print/talk.h"
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

bool sek_seen_first(struct sek_seen *s, const char *domain, struct sek_first_row *out)
{
    struct sek_diag why = {0};
    if (!s->first && (s->told || !open_report(s)))
        return false;
    enum sek_err e = sek_first_reader_get(s->first, domain, out, &why);
    if (e && e != SEK_E_NOTFOUND) {
        sek_talk("who asked first is not shown: %s", why.text);
        sek_first_reader_close(s->first);
        s->first = NULL;
    }
    return !e;
}

int64_t sek_seen_warm_up_left(const struct sek_seen *s)
{
    int64_t warm_s = sek_domains_since_s(s->domains) + s->conf->domains.warm_up_s;
    return warm_s > s->c->now_s ? warm_s - s->c->now_s : 0;
}
