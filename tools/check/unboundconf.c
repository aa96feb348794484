/* SPDX-License-Identifier: BSD-3-Clause */
#include "unboundconf.h"
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

#define DEPTH_MAX 16 /* of includes */
#define WORD_MAX SEK_UNBOUNDCONF_TEXT_MAX

/* A value never looks like this, so a section's heading ("server:") is just a key without value.
 * What may begin an IPv6 address ("fd00:") is no key. */
static bool is_key(const char *word)
{
    size_t n = strlen(word);
    return n > 1 && word[0] >= 'a' && word[0] <= 'z' && word[n - 1] == ':' &&
           strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-") == n - 1 &&
           (n > 5 || strspn(word, "abcdef0123456789") < n - 1);
}

/* The next word of the file: blanks separate, "#" begins a comment, quotes hold blanks together.
 * Too long a word is cut; none of ours is. Returns false at the end. */
static bool next_word(FILE *f, char out[WORD_MAX])
{
    size_t n = 0;
    int ch = getc(f), quote = 0;
    while (ch != EOF && (strchr(" \t\r\n", ch) || ch == '#')) {
        if (ch == '#')
            while (ch != EOF && ch != '\n')
                ch = getc(f);
        else
            ch = getc(f);
    }
    if (ch == EOF)
        return false;
    if (ch == '"' || ch == '\'') {
        quote = ch;
        ch = getc(f);
    }
    out[0] = '\0';
    for (; ch != EOF; ch = getc(f)) {
        if (quote ? ch == quote || ch == '\n' : strchr(" \t\r\n", ch) != NULL)
            break;
        if (!quote && ch == '#') {
            ungetc(ch, f);
            break;
        }
        if (n + 1 < WORD_MAX)
            out[n++] = (char)ch;
        out[n] = '\0';
        if (!quote && is_key(out)) /* no blank is needed after a key's colon */
            break;
    }
    return true;
}

static void set(char out[WORD_MAX], const char *value)
{
    memmove(out, value, strnlen(value, WORD_MAX - 1) + 1);
    out[WORD_MAX - 1] = '\0';
}

static void take(void *arg, const char *key, unsigned nth, const char *value)
{
    struct sek_unboundconf *u = arg;
    if (nth > 0)
        return;
    if (strcmp(key, "module-config:") == 0) {
        set(u->module_config, value);
    } else if (strcmp(key, "chroot:") == 0) {
        set(u->chroot, value);
    } else if (strcmp(key, "username:") == 0) {
        set(u->username, value);
        u->username_set = true;
    } else if (strcmp(key, "dynlib-file:") == 0 && u->n_dynlib_files < SEK_UNBOUNDCONF_FILES_MAX) {
        set(u->dynlib_file[u->n_dynlib_files], value);
        u->n_dynlib_files++;
    }
}

static void read_file(const char *path, unsigned depth, struct sek_unboundconf_walk *u);

static void read_included(const char *pattern, unsigned depth, struct sek_unboundconf_walk *u)
{
    glob_t found;
    if (depth >= DEPTH_MAX || glob(pattern, GLOB_NOCHECK, NULL, &found))
        return;
    bool is_pattern = strpbrk(pattern, "*?[") != NULL;
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (!is_pattern || strcmp(found.gl_pathv[i], pattern) != 0)
            read_file(found.gl_pathv[i], depth + 1, u);
    globfree(&found);
}

/* Of it all? A folder opens like a file, and a disk may fail. */
static bool read_words(FILE *f, unsigned depth, struct sek_unboundconf_walk *u)
{
    char key[WORD_MAX] = "", word[WORD_MAX];
    unsigned nth = 0;
    while (next_word(f, word)) {
        if (is_key(word)) {
            set(key, word);
            nth = 0;
            continue;
        }
        bool includes = strcmp(key, "include:") == 0 || strcmp(key, "include-toplevel:") == 0;
        if (includes && nth == 0)
            read_included(word, depth, u);
        else
            u->fn(u->arg, key, nth, word);
        nth++;
    }
    return !ferror(f);
}

static void read_file(const char *path, unsigned depth, struct sek_unboundconf_walk *u)
{
    FILE *f = fopen(path, "re");
    if ((!f || !read_words(f, depth, u)) && u->n_missing++ == 0)
        set(u->missing, path);
    if (f)
        fclose(f);
}

enum sek_err sek_unboundconf_walk(const char *path, struct sek_unboundconf_walk *walk,
                                  struct sek_diag *diag)
{
    FILE *f = fopen(path, "re");
    enum sek_err err = SEK_OK;
    if (!f || !read_words(f, 0, walk))
        err = sek_diag_set(diag, sek_err_from_errno(errno), "%s: %s", path, strerror(errno));
    if (f)
        fclose(f);
    return err;
}

enum sek_err sek_unboundconf_read(const char *path, struct sek_unboundconf *out,
                                  struct sek_diag *diag)
{
    struct sek_unboundconf_walk walk = {.fn = take, .arg = out};
    memset(out, 0, sizeof *out);
    enum sek_err err = sek_unboundconf_walk(path, &walk, diag);
    out->n_missing = walk.n_missing;
    set(out->missing, walk.missing);
    return err;
}
