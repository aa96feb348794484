/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of past traffic: no crash, no loop, what is told is a valid event, and an excerpt can
 * be made. The first octet says what the others are: 'f' a file, 'd' frames of dnstap, others
 * packets of a capture whose link type it chooses; each frame or packet has its length in two
 * octets in front. */
#include "replay/excerpt.h"
#include "replay/source.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <stdio.h>
#include <unistd.h>
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void put32(struct sek_buf *b, uint32_t v, bool big)
{
    if (big)
        v = __builtin_bswap32(v);
    sek_buf_add(b, &v, 4);
}

static void begin_dnstap(struct sek_buf *file)
{
    static const char content[] = "protobuf:dnstap.Dnstap";
    put32(file, 0, true);
    put32(file, 12 + sizeof content - 1, true);
    put32(file, 2, true);
    put32(file, 1, true);
    put32(file, sizeof content - 1, true);
    sek_buf_add_text(file, content);
}

static void begin_pcap(struct sek_buf *file, uint8_t kind)
{
    static const uint32_t links[] = {1, 113, 276, 101, 0, 9, 108};
    put32(file, 0xa1b2c3d4, false);
    put32(file, 2 | 4 << 16, false);
    put32(file, 0, false);
    put32(file, 0, false);
    put32(file, 65535, false);
    put32(file, links[kind % 7], false);
}

static void wrap(struct sek_buf *file, uint8_t kind, const uint8_t *data, size_t size)
{
    if (kind == 'd')
        begin_dnstap(file);
    else
        begin_pcap(file, kind);
    for (uint32_t n = 0; size > 2; n++) {
        size_t len = (size_t)(data[0] << 8 | data[1]);
        len = len < size - 2 ? len : size - 2;
        if (kind != 'd') {
            put32(file, 1795168800 + n / 4, false);
            put32(file, 0, false);
            put32(file, (uint32_t)len, false);
        }
        put32(file, (uint32_t)len, kind == 'd');
        sek_buf_add(file, data + 2, len);
        data += 2 + len;
        size -= 2 + len;
    }
}

static void check(const struct sek_event *e)
{
    struct sek_name name;

    require(sek_name_from_wire(e->names, e->name_len, &name) == SEK_OK);
    require(name.len == e->name_len && memcmp(name.octets, e->names, name.len) == 0);
    require(e->matched_len == 0 && e->size <= SEK_EVENT_MAX);
    require(e->n_addrs <= SEK_EVENT_ADDRS && e->n_ns_addrs <= SEK_EVENT_NS_ADDRS);
    require(e->size == sek_event_size(e->name_len, (e->n_addrs + (size_t)e->n_ns_addrs) *
                                                       sizeof(struct sek_addr)));
    require(e->outcome == SEK_OUTCOME_PASSED || e->outcome == SEK_OUTCOME_NXDOMAIN ||
            e->outcome == SEK_OUTCOME_FAILED);
    require((e->outcome == SEK_OUTCOME_NXDOMAIN) == (e->existence == SEK_EXISTENCE_ABSENT));
}

static void read_file(int fd, size_t size)
{
    char path[64];
    struct sek_source *s;
    static struct sek_event e;
    struct sek_diag diag = {.code = SEK_OK};
    int got;
    size_t n = 0;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (sek_source_open(path, 1795784400, &s, &diag)) {
        require(diag.text[0]);
        return;
    }
    while ((got = sek_source_next(s, &e, &diag)) != 0) {
        require(got == 1 || (got < 0 && diag.text[0]));
        if (got == 1)
            check(&e);
        require(++n <= 1100 * (size + 100)); /* gzip may make much of little */
    }
    require(sek_source_next(s, &e, &diag) == 0);
    sek_source_close(s);
}

static void on_unreadable(void *arg, bool fatal, const struct sek_diag *why)
{
    (void)arg, (void)fatal;
    require(why->code && why->text[0]);
}

static bool goes_on(void *arg, uint64_t octets, uint64_t all)
{
    (void)arg;
    return octets <= all;
}

/* What is about a name, and all. */
static void cut_out(int fd)
{
    static const struct sek_excerpt_hooks hooks = {NULL, on_unreadable, goes_on};
    static struct sek_wanted_name name = {.scope = SEK_SCOPE_BELOW};
    char path[64];
    const char *paths[] = {path};
    struct sek_diag diag = {.code = SEK_OK};
    struct sek_excerpt_sum part, all;
    struct sek_wanted wanted = {.since_s = INT64_MIN, .until_s = INT64_MAX};

    require(sek_name_from_wire((const uint8_t *)"\7example", 9, &name.name) == SEK_OK);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int to = memfd_create("excerpt", MFD_CLOEXEC);
    require(to >= 0);
    require(sek_excerpt_write(paths, 1, &wanted, to, &hooks, &all, &diag) == SEK_OK);
    wanted.names = &name;
    wanted.n_names = 1;
    require(sek_excerpt_write(paths, 1, &wanted, to, &hooks, &part, &diag) == SEK_OK);
    require(part.n_read == all.n_read && part.n_written <= all.n_written);
    require(all.n_written <= all.n_read);
    close(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sek_buf file;

    if (size == 0)
        return 0;
    sek_buf_init(&file, 0);
    if (data[0] == 'f')
        sek_buf_add(&file, data + 1, size - 1);
    else
        wrap(&file, data[0], data + 1, size - 1);
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, file.data, file.len) == (ssize_t)file.len);
    read_file(fd, file.len);
    cut_out(fd);
    close(fd);
    sek_buf_fini(&file);
    return 0;
}
