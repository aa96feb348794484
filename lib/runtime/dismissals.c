/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/parts.h"
#include "store/report.h"
#include "watch/detector.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define LOOK_MS 1000

bool sek__dismissals_watch(struct sek_runtime *rt, int64_t now_ms)
{
    struct sek_dismissals *d = &rt->dismissals;
    char path[SEK_CONF_TEXT_MAX + 16];
    struct sek_dismissed fresh;
    struct sek_diag why = {0};
    if (d->looked_ms && llabs(now_ms - d->looked_ms) < LOOK_MS)
        return false;
    bool first = d->looked_ms == 0;
    d->looked_ms = now_ms ? now_ms : 1;
    sek_dismissed_path(rt->conf.policy.dir, path, sizeof path);
    struct sek_file_mark mark = sek__file_mark(path);
    if (!first && sek__file_mark_equal(&mark, &d->mark))
        return false;
    d->mark = mark;
    if (sek_dismissed_read(path, &fresh, &why) != SEK_OK) {
        sek__runtime_say(rt, true, "%s; what was dismissed before stays so", why.text);
        return false;
    }
    sek_dismissed_fini(&d->set);
    d->set = fresh;
    return true;
}

/* Whose finding it is a row does not tell: what else blocks the domain is put back afterwards. */
static bool is_touched(const struct sek_dismissed *set, const struct sek_dynamic_row *row)
{
    for (unsigned i = 0; i < set->n; i++) {
        const struct sek_dismissal *one = &set->all[i];
        if (strcmp(sek_lookup_name(sek_detector_names, (int)one->detector), row->by) == 0 &&
            sek_name_equal(one->domain, one->domain_len, row->domain, row->len))
            return true;
    }
    return false;
}

static void put(struct sek_dynamic_row *rows, unsigned *io_n, const struct sek_dynamic_row *row)
{
    for (unsigned i = 0; i < *io_n; i++)
        if (sek_name_equal(rows[i].domain, rows[i].len, row->domain, row->len)) {
            if (rows[i].until_s < row->until_s)
                rows[i] = *row;
            return;
        }
    if (*io_n < SEK_DYNAMIC_MAX)
        rows[(*io_n)++] = *row;
}

void sek__dismissals_apply(const struct sek_runtime *rt, struct sek_dynamic_row *rows,
                           unsigned *io_n, int64_t now_s)
{
    const struct sek_dismissed *set = &rt->dismissals.set;
    struct sek_dynamic *stored = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < *io_n; i++)
        if (rows[i].until_s > now_s && is_touched(set, &rows[i]))
            rows[i].until_s = now_s; /* kept, ended: a set without rows is no set to publish */
    if (!sek_detectors_may_block(&rt->conf) ||
        sek_report_dynamic(rt->conf.events.db, now_s, set, &stored, NULL) != SEK_OK)
        return;
    sek_detectors_keep_blocking(&rt->conf, &stored);
    const struct sek_dynamic_row *still = sek_dynamic_rows(stored, &n);
    for (unsigned i = 0; i < n; i++)
        put(rows, io_n, &still[i]);
    sek_dynamic_free(stored);
}
