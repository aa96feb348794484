/* SPDX-License-Identifier: BSD-3-Clause */
#include "pastfiles.h"
#include "replay/source.h"
#include "tools/caller.h"
#include "tools/print/talk.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/banned.h"

#define TRIES 1000 /* records looked at for one that can be read */

static int64_t first_of(struct sek_source *s)
{
    struct sek_event e;
    for (int i = 0; i < TRIES; i++) {
        int told = sek_source_next(s, &e, NULL);
        if (told > 0)
            return e.time_ms;
        if (told == 0 || told == SEK_E_IO)
            break;
    }
    return INT64_MAX;
}

enum sek_err sek_past_file_open(const char *path, int64_t now_s, struct sek_source **out,
                                struct sek_diag *diag)
{
    sek_caller_begin();
    enum sek_err err = sek_source_open(path, now_s, out, diag);
    sek_caller_end();
    return err;
}

static uint64_t octets_of(const char *path)
{
    struct stat st;
    sek_caller_begin();
    bool is_regular = stat(path, &st) == 0 && S_ISREG(st.st_mode);
    sek_caller_end();
    return is_regular ? (uint64_t)st.st_size : 0;
}

static void look(struct sek_past_file *f, int64_t now_s)
{
    struct sek_source *s;
    struct sek_diag why;
    f->first_ms = INT64_MAX;
    f->readable = true;
    if (strcmp(f->path, "-") == 0)
        return;
    if (sek_past_file_open(f->path, now_s, &s, &why) != SEK_OK) {
        f->readable = false;
        sek_talk("%s", why.text);
        return;
    }
    f->octets = octets_of(f->path);
    if (f->octets)
        f->first_ms = first_of(s);
    sek_source_close(s);
}

static int by_first(const void *a, const void *b)
{
    const struct sek_past_file *x = a, *y = b;
    if (x->first_ms != y->first_ms)
        return x->first_ms < y->first_ms ? -1 : 1;
    return strcmp(x->path, y->path);
}

enum sek_err sek_past_files_look(const char *const *paths, unsigned n, int64_t now_s,
                                 struct sek_past_files *out, struct sek_diag *diag)
{
    *out = (struct sek_past_files){.all = calloc(n ? n : 1, sizeof *out->all), .n = n};
    if (!out->all)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    for (unsigned i = 0; i < n; i++) {
        out->all[i].path = paths[i];
        look(&out->all[i], now_s);
        out->n_unreadable += !out->all[i].readable;
        out->octets += out->all[i].octets;
    }
    qsort(out->all, n, sizeof *out->all, by_first);
    return SEK_OK;
}

void sek_past_files_fini(struct sek_past_files *f)
{
    free(f->all);
    f->all = NULL;
}
