/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/status.h"
#include "base/file.h"
#include "base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define PAGE_MODE 0644 /* numbers only: everybody may look */
#define READ_TRIES 1000
#define READ_PAUSE_NS 100000

/* The texts are copied in words, so that each copy is an atomic access. */
#define TEXTS_AT offsetof(struct sek_status_page, policy_text)
_Static_assert(TEXTS_AT % 8 == 0 && sizeof(struct sek_status_page) % 8 == 0, "whole words");

const struct sek_counter_info sek_counter_info[SEK_N_COUNTERS] = {
#define X(id, name, help) {name, help},
    SEK_COUNTERS(X)
#undef X
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- writer ------------------------------------------------------------------------------------
 */

enum sek_err sek_status_create(const char *path, struct sek_status_page **out,
                               struct sek_diag *diag)
{
    struct sek_file_new file;
    enum sek_err err = sek_file_new_open(path, PAGE_MODE, &file, diag);
    if (err) {
        sek_diag_wrap(diag, "status page %s", path);
        return err;
    }
    struct sek_status_page *page = MAP_FAILED;
    /* reserve the blocks: a full file system must show here, not as SIGBUS in the resolver */
    int rc = posix_fallocate(file.fd, 0, sizeof *page);
    if (rc == 0 && fchmod(file.fd, PAGE_MODE) == 0)
        page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
    if (page == MAP_FAILED) {
        int errnum = rc ? rc : errno;
        sek_file_new_abort(&file);
        return sek_diag_set(diag, sek_err_from_errno(errnum), "status page %s: %s", path,
                            sek_err_text(sek_err_from_errno(errnum)));
    }
    page->magic = SEK_STATUS_MAGIC;
    page->version = SEK_STATUS_VERSION;
    page->size = sizeof *page;
    page->id = sek_hash_key_random().k0;
    page->pid = (uint32_t)getpid();
    atomic_store_explicit(&page->started_ms, now_ms(), memory_order_relaxed);
    atomic_store_explicit(&page->heartbeat_ms, now_ms(), memory_order_relaxed);
    err = sek_file_new_commit(&file, diag);
    if (err) {
        munmap(page, sizeof *page);
        sek_diag_wrap(diag, "status page %s", path);
        return err;
    }
    *out = page;
    return SEK_OK;
}

void sek_status_destroy(const char *path, struct sek_status_page *page)
{
    const struct sek_status_page *there = NULL;
    if (!page)
        return;
    if (sek_status_open(path, &there, NULL) == SEK_OK) {
        if (there->id == page->id)
            unlink(path);
        sek_status_close(there);
    }
    munmap(page, sizeof *page);
}

static size_t text_size(const struct sek_status_page *page, const char *which)
{
    return which == page->unbound ? sizeof page->unbound : sizeof page->policy_text;
}

void sek_status_set_text(struct sek_status_page *page, char *which, const char *text)
{
    uint64_t words[sizeof page->policy_text / 8] = {0};
    uint64_t *to = (uint64_t *)(void *)which;
    size_t size = text_size(page, which), len = strnlen(text, size - 1);
    memcpy(words, text, len);
    /* two threads may set texts: the odd number is also their lock */
    uint32_t seq = atomic_load_explicit(&page->seq, memory_order_relaxed);
    while (seq & 1 || !atomic_compare_exchange_weak_explicit(
                          &page->seq, &seq, seq + 1, memory_order_acquire, memory_order_relaxed)) {
        nanosleep(&(struct timespec){.tv_nsec = READ_PAUSE_NS}, NULL);
        seq = atomic_load_explicit(&page->seq, memory_order_relaxed);
    }
    /* release on each word: a reader that sees one of them sees the odd number, too */
    for (size_t i = 0; i < size / 8; i++)
        __atomic_store_n(to + i, words[i], __ATOMIC_RELEASE);
    atomic_store_explicit(&page->seq, seq + 2, memory_order_release);
}

/* --- reader ------------------------------------------------------------------------------------
 */

enum sek_err sek_status_open(const char *path, const struct sek_status_page **out,
                             struct sek_diag *diag)
{
    int fd;
    struct stat st;
    enum sek_err err = sek_file_open_regular(path, &fd, diag);
    if (err)
        return err;
    void *page = MAP_FAILED;
    if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(struct sek_status_page))
        page = mmap(NULL, sizeof(struct sek_status_page), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED)
        return sek_diag_set(diag, SEK_E_CORRUPT, "%s is not a status page", path);
    const struct sek_status_page *p = page;
    if (p->magic == SEK_STATUS_MAGIC && p->version == SEK_STATUS_VERSION && p->size == sizeof *p) {
        *out = p;
        return SEK_OK;
    }
    err = p->magic == SEK_STATUS_MAGIC
              ? sek_diag_set(diag, SEK_E_VERSION, "%s was made by another version of the module",
                             path)
              : sek_diag_set(diag, SEK_E_CORRUPT, "%s is not a status page", path);
    munmap(page, sizeof *p);
    return err;
}

void sek_status_close(const struct sek_status_page *page)
{
    if (page)
        munmap((void *)(uintptr_t)page, sizeof *page);
}

bool sek_status_alive(const struct sek_status_page *page, int64_t at_ms)
{
    int64_t beat = atomic_load_explicit(&page->heartbeat_ms, memory_order_relaxed);
    if (page->pid == 0 || page->pid > INT32_MAX || at_ms - beat >= SEK_STATUS_DEAD_MS)
        return false;
    return kill((pid_t)page->pid, 0) == 0 || errno == EPERM;
}

bool sek_status_lives(const char *path, int64_t now_ms)
{
    const struct sek_status_page *page = NULL;
    if (sek_status_open(path, &page, NULL) != SEK_OK || !page)
        return false;
    bool lives = sek_status_alive(page, now_ms);
    sek_status_close(page);
    return lives;
}

/* Word by word: each number is whole, and so are the texts if seq stood still. */
static void copy_words(const struct sek_status_page *page, size_t from, size_t to,
                       struct sek_status_page *out)
{
    const uint64_t *src = (const uint64_t *)(const void *)page;
    uint64_t *dst = (uint64_t *)(void *)out;
    for (size_t i = from / 8; i < to / 8; i++)
        dst[i] = __atomic_load_n(src + i, __ATOMIC_ACQUIRE);
}

void sek_status_read(const struct sek_status_page *page, struct sek_status_page *out)
{
    for (int i = 0; i < READ_TRIES; i++) {
        uint32_t seq = atomic_load_explicit(&page->seq, memory_order_acquire);
        copy_words(page, TEXTS_AT, sizeof *page, out);
        if (!(seq & 1) && atomic_load_explicit(&page->seq, memory_order_relaxed) == seq)
            break;
        nanosleep(&(struct timespec){.tv_nsec = READ_PAUSE_NS}, NULL);
    }
    copy_words(page, 0, TEXTS_AT, out);
    /* whoever wrote the file, the copy's texts end */
    out->policy_text[sizeof out->policy_text - 1] = '\0';
    out->events_text[sizeof out->events_text - 1] = '\0';
    out->classifier_text[sizeof out->classifier_text - 1] = '\0';
    out->domains_text[sizeof out->domains_text - 1] = '\0';
    out->geo_text[sizeof out->geo_text - 1] = '\0';
    out->unbound[sizeof out->unbound - 1] = '\0';
}
