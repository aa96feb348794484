/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder with one store's file, for the tests that write files. */
#pragma once
#include "domains_samples.h"
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

static char dir[] = "/tmp/sek-domains-XXXXXX";
static char path[64];

static inline void empty_dir(void)
{
    DIR *all = opendir(dir);

    assert_non_null(all);
    for (struct dirent *e; (e = readdir(all)) != NULL;)
        if (e->d_name[0] != '.')
            unlinkat(dirfd(all), e->d_name, 0);
    closedir(all);
}

static inline int make_dir(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN); /* the module's threads block it */
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/domains", dir);
    return 0;
}

static inline int remove_dir(void **state)
{
    (void)state;
    empty_dir();
    return rmdir(dir);
}

static inline int setup(void **state)
{
    (void)state;
    empty_dir();
    return 0;
}

static inline const struct sek_domains_conf *conf(void)
{
    static struct sek_domains_conf c = {NULL, 4 * MIB, 5000, 0, "v1"};

    c.path = path;
    return &c;
}

static inline struct sek_domains *open_file(char aside[SEK_DOMAINS_ASIDE_MAX])
{
    return sample_open_conf(conf(), aside);
}

static inline enum sek_err open_fails(struct sek_diag *diag)
{
    struct sek_domains *d = NULL;
    char aside[SEK_DOMAINS_ASIDE_MAX];

    enum sek_err err = sek_domains_open(conf(), NOW_S, &d, aside, diag);
    assert_null(d);
    return err;
}

static inline unsigned files_beside(const char *part)
{
    DIR *all = opendir(dir);
    unsigned n = 0;

    assert_non_null(all);
    for (struct dirent *e; (e = readdir(all)) != NULL;)
        n += strstr(e->d_name, part) != NULL;
    closedir(all);
    return n;
}

/* A closed file with [0, n_known) and [0, n_absent). */
static inline void make_file(uint32_t n_known, uint32_t n_absent)
{
    struct sek_domains *d = open_file(NULL);

    for (uint32_t i = 0; i < n_known; i++)
        assert_int_equal(sample_note(d, i, "known", NOW_S + i % 10, true), SEK_DOMAINS_NEW);
    for (uint32_t i = 0; i < n_absent; i++)
        assert_int_equal(sample_note(d, i, "nx", NOW_S, false), SEK_DOMAINS_NEW);
    sek_domains_close(d);
}

static inline void alter(off_t at, const void *data, size_t n)
{
    int fd = open(path, O_WRONLY);

    assert_true(fd >= 0 && pwrite(fd, data, n, at) == (ssize_t)n);
    close(fd);
}

static inline void read_head(struct sek_dom_head *head, uint32_t *out_slot)
{
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(sek__dom_head_read(fd, path, head, NULL), SEK_OK);
    close(fd);
    if (out_slot)
        *out_slot = (uint32_t)(head->turn % SEK_DOM_HEADS);
}

/* As if the machine had started anew since, or the head said something else. */
static inline void write_head(struct sek_dom_head *head)
{
    head->sum = sek__dom_head_sum(head);
    alter((off_t)(head->turn % SEK_DOM_HEADS) * SEK_DOM_BLOCK, head, sizeof(*head));
}

static inline void pretend_reboot(void)
{
    struct sek_dom_head head;

    read_head(&head, NULL);
    snprintf(head.boot_id, sizeof(head.boot_id), "another");
    write_head(&head);
}
