/* SPDX-License-Identifier: BSD-3-Clause */
/* All lists are walked side by side in the order of their names, as they lie in the table. */
#include "store/overlap.h"
#include "store/policydb_parts.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define PROGRESS_STEPS 4096

struct walk {
    struct sek_policydb *db;
    sqlite3_stmt **stmt; /* one a list; NULL: at its end */
    size_t n;
    size_t *here;     /* lists that have the name at hand */
    uint64_t *shared; /* n by n */
};

static enum sek_err step(struct walk *w, size_t i, struct sek_diag *diag)
{
    int rc = sqlite3_step(w->stmt[i]);
    if (rc == SQLITE_ROW)
        return SEK_OK;
    enum sek_err err = rc == SQLITE_DONE ? SEK_OK : sek__policydb_fail(w->db, rc, diag);
    sqlite3_finalize(w->stmt[i]);
    w->stmt[i] = NULL;
    return err;
}

static int compare(sqlite3_stmt *a, sqlite3_stmt *b)
{
    size_t na = (size_t)sqlite3_column_bytes(a, 0), nb = (size_t)sqlite3_column_bytes(b, 0);
    const void *ka = sqlite3_column_blob(a, 0), *kb = sqlite3_column_blob(b, 0);
    size_t n = na < nb ? na : nb;
    int order = n ? memcmp(ka, kb, n) : 0;
    return order ? order : (na > nb) - (na < nb);
}

/* The lists whose next name is the first of all. */
static size_t lists_at(const struct walk *w)
{
    size_t n_here = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (!w->stmt[i])
            continue;
        int order = n_here ? compare(w->stmt[i], w->stmt[w->here[0]]) : 0;
        if (order < 0)
            n_here = 0;
        if (order <= 0)
            w->here[n_here++] = i;
    }
    return n_here;
}

static void count(struct walk *w, size_t n_here, struct sek_overlap *out)
{
    for (size_t a = 0; a < n_here; a++) {
        out[w->here[a]].n_names++;
        out[w->here[a]].n_elsewhere += n_here > 1;
        for (size_t b = 0; b < n_here; b++)
            if (a != b)
                w->shared[w->here[a] * w->n + w->here[b]]++;
    }
}

static enum sek_err walk_all(struct walk *w, const uint16_t *ids, struct sek_overlap *out,
                             sek_progress_fn *progress, void *arg, struct sek_diag *diag)
{
    enum sek_err err = SEK_OK;
    for (size_t i = 0; !err && i < w->n; i++) {
        err = sek_sql_prepare(w->db->db,
                              "SELECT DISTINCT name FROM entry WHERE list = ?1 ORDER BY name",
                              &w->stmt[i], diag);
        if (err)
            return err;
        sqlite3_bind_int(w->stmt[i], 1, ids[i]);
        err = step(w, i, diag);
    }
    size_t n_here;
    for (uint64_t n = 0; !err && (n_here = lists_at(w)) > 0; n++) {
        count(w, n_here, out);
        for (size_t a = 0; !err && a < n_here; a++)
            err = step(w, w->here[a], diag);
        if (progress && n % PROGRESS_STEPS == 0)
            progress(arg, 1001);
    }
    return err;
}

static void most_find(const struct walk *w, const uint16_t *ids, struct sek_overlap *out)
{
    for (size_t a = 0; a < w->n; a++) {
        for (size_t b = 0; b < w->n; b++) {
            uint64_t n = w->shared[a * w->n + b];
            if (n > out[a].n_most) {
                out[a].most = ids[b];
                out[a].n_most = n;
            }
        }
    }
}

enum sek_err sek_overlap(struct sek_policydb *db, const uint16_t *ids, size_t n,
                         struct sek_overlap *out, sek_progress_fn *progress, void *arg,
                         struct sek_diag *diag)
{
    struct walk w = {.db = db, .n = n};
    if (n == 0)
        return SEK_OK;
    w.stmt = calloc(n, sizeof(*w.stmt));
    w.here = calloc(n, sizeof(*w.here));
    w.shared = calloc(n * n, sizeof(*w.shared));
    enum sek_err err = w.stmt && w.here && w.shared
                           ? SEK_OK
                           : sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    for (size_t i = 0; i < n; i++)
        out[i] = (struct sek_overlap){.list = ids[i]};
    if (!err)
        err = walk_all(&w, ids, out, progress, arg, diag);
    if (!err)
        most_find(&w, ids, out);
    for (size_t i = 0; w.stmt && i < n; i++)
        sqlite3_finalize(w.stmt[i]);
    free(w.stmt);
    free(w.here);
    free(w.shared);
    return err;
}
