/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/share.h"
#include "policy/policy.h"
#include "policy_fixture.h"
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define MEMORY "/dev/shm" /* a tmpfs wherever Linux runs programs at all */
#define N_NAMES 120000    /* more than 1 MiB of image */

static char folder[64]; /* in memory */

static const char *in_folder(const char *file)
{
    static char path[2][400];
    static unsigned next;

    snprintf(path[next ^= 1], sizeof(path[0]), "%s/%s", folder, file);
    return path[next];
}

/* A file of the ordinary kind, open for reading. */
static int source(const char *text)
{
    FILE *f = fopen(test_path("other.img"), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    int fd = open(test_path("other.img"), O_RDONLY);
    assert_true(fd >= 0);
    return fd;
}

static unsigned n_files(const char *dir, const char *begin)
{
    DIR *d = opendir(dir);
    unsigned n = 0;

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.' && strncmp(e->d_name, begin, strlen(begin)) == 0;
    closedir(d);
    return n;
}

static int setup(void **state)
{
    struct statfs fs;

    (void)state;
    snprintf(folder, sizeof(folder), MEMORY "/sekisho-test.XXXXXX");
    if (statfs(MEMORY, &fs) != 0 || fs.f_type != TMPFS_MAGIC || !mkdtemp(folder))
        folder[0] = '\0';
    return 0;
}

static int teardown(void **state)
{
    DIR *d = folder[0] ? opendir(folder) : NULL;

    for (struct dirent *e; d && (e = readdir(d));)
        unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    (void)state;
    return folder[0] ? rmdir(folder) : 0;
}

static void test_copy(void **state)
{
    const char *text = "what a file says";
    size_t n = strlen(text);
    void *first, *second;
    struct sek_diag diag;
    struct stat st;
    int fd = source(text);

    (void)state;
    if (!folder[0])
        skip();
    assert_int_equal(sek_share_open(in_folder("copy"), n, &first, &diag), SEK_E_NOTFOUND);
    test_ok(sek_share_make(fd, n, in_folder("copy"), &first, &diag), &diag);
    test_ok(sek_share_open(in_folder("copy"), n, &second, &diag), &diag);
    assert_memory_equal(first, text, n);
    assert_memory_equal(second, text, n);
    assert_int_equal(stat(in_folder("copy"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
    /* what happens to the file it was made of, or to its name, does not matter */
    assert_int_equal(truncate(test_path("other.img"), 0), 0);
    unlink(in_folder("copy"));
    assert_memory_equal(first, text, n);
    assert_memory_equal(second, text, n);
    munmap(first, n);
    munmap(second, n);
    close(fd);
}

/* Of some huge pages and a bit, whether the kernel gives such or not. */
static void test_large(void **state)
{
    enum { N = (4 << 20) + 4097 };
    uint8_t *octets = malloc(N);
    struct sek_diag diag;
    void *first, *second;

    (void)state;
    assert_non_null(octets);
    if (!folder[0])
        skip();
    for (size_t i = 0; i < N; i++)
        octets[i] = (uint8_t)(i * 2654435761U >> 13);
    test_file_write(test_path("other.img"), octets, N);
    int fd = open(test_path("other.img"), O_RDONLY);
    test_ok(sek_share_make(fd, N, in_folder("large"), &first, &diag), &diag);
    test_ok(sek_share_open(in_folder("large"), N, &second, &diag), &diag);
    assert_memory_equal(first, octets, N);
    assert_memory_equal(second, octets, N);
    /* nobody writes it by mistake */
    assert_int_not_equal(mprotect(second, N, PROT_READ | PROT_WRITE), 0);
    munmap(first, N);
    munmap(second, N);
    /* cut off in the last huge page, and in the first */
    for (off_t left = 3 << 20; left > 0; left -= (3 << 20) - 5) {
        assert_int_equal(truncate(test_path("other.img"), left), 0);
        unsigned before = n_files(folder, "");
        assert_int_equal(sek_share_make(fd, N, in_folder("cut"), &first, &diag), SEK_E_CORRUPT);
        assert_int_equal(n_files(folder, ""), before);
    }
    close(fd);
    free(octets);
}

static void test_refused(void **state)
{
    size_t n = strlen("text");
    void *map;
    struct sek_diag diag;
    int fd = source("text");

    (void)state;
    if (!folder[0])
        skip();
    test_ok(sek_share_make(fd, n, in_folder("copy"), &map, &diag), &diag);
    munmap(map, n);
    assert_int_equal(sek_share_open(in_folder("copy"), n + 1, &map, &diag), SEK_E_INVALID);
    chmod(in_folder("copy"), 0620);
    assert_int_equal(sek_share_open(in_folder("copy"), n, &map, &diag), SEK_E_INVALID);
    assert_non_null(strstr(diag.text, "others may write it"));
    chmod(in_folder("copy"), 0400);
    if (geteuid() == 0) {
        assert_int_equal(chown(in_folder("copy"), 65534, 65534), 0);
        assert_int_equal(sek_share_open(in_folder("copy"), n, &map, &diag), SEK_E_INVALID);
    }
    assert_int_equal(symlink(in_folder("copy"), in_folder("link")), 0);
    assert_int_not_equal(sek_share_open(in_folder("link"), n, &map, &diag), SEK_OK);
    /* longer than the file; more than there is room for: nothing is left behind */
    unsigned before = n_files(folder, "");
    assert_int_equal(sek_share_make(fd, n + 1, in_folder("long"), &map, &diag), SEK_E_CORRUPT);
    assert_int_equal(sek_share_make(fd, (size_t)1 << 60, in_folder("large"), &map, &diag),
                     SEK_E_FULL);
    assert_int_equal(n_files(folder, ""), before);
    close(fd);
}

static void test_elsewhere(void **state)
{
    struct statfs fs;
    void *map;
    struct sek_diag diag;
    int fd = source("text");

    (void)state;
    assert_int_equal(statfs(test_folder, &fs), 0);
    if (fs.f_type == TMPFS_MAGIC)
        skip();
    assert_int_equal(sek_share_make(fd, 4, test_path("copy"), &map, &diag), SEK_E_INVALID);
    assert_int_equal(access(test_path("copy"), F_OK), -1);
    assert_int_equal(sek_share_open(test_path("other.img"), 4, &map, &diag), SEK_E_INVALID);
    close(fd);
}

static void test_sweep(void **state)
{
    static const char *const files[] = {"copy-1", "copy-2", "copy-3", "cop", "status"};

    (void)state;
    if (!folder[0])
        skip();
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        close(open(in_folder(files[i]), O_CREAT | O_WRONLY, 0600));
    sek_share_sweep(in_folder("copy-2"), strlen("copy-"));
    assert_int_equal(n_files(folder, "copy-"), 1);
    assert_int_equal(access(in_folder("copy-2"), F_OK), 0);
    assert_int_equal(access(in_folder("cop"), F_OK), 0);
    assert_int_equal(access(in_folder("status"), F_OK), 0);
    sek_share_sweep("no folder", 2);
    sek_share_sweep("/nowhere/copy-2", 5);
}

/* --- images ------------------------------------------------------------------------------------
 */

static void write_policy(unsigned n)
{
    struct sek_compile *c;
    struct sek_list list = test_list(1);
    struct sek_rule rule = {.list = 1, .scope = SEK_SCOPE_SUBTREE};
    struct sek_image_info info = {.generation = 1};
    struct sek_diag diag;
    char text[32];

    test_ok(sek_compile_new(0, &c, &diag), &diag);
    test_ok(sek_compile_list(c, &list, &diag), &diag);
    for (unsigned i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "name%u.example", i);
        struct sek_name name = test_name(text);
        test_ok(sek_compile_rule(c, name.octets, name.len, &rule, &diag), &diag);
    }
    test_ok(sek_compile_write(c, test_path(SEK_POLICY_IMAGE), &info, NULL, NULL, &diag), &diag);
    sek_compile_free(c);
}

static bool lists(const struct sek_policy *p, const char *text)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_name name = test_name(text);

    return sek_policy_lookup(p, &name, met) > 0;
}

static struct sek_policy *open_shared(const char *share)
{
    struct sek_policy *p;
    struct sek_diag diag;

    test_ok(sek_policy_open_shared(test_folder, share, &p, &diag), &diag);
    assert_true(lists(p, "www.name7.example"));
    assert_false(lists(p, "other.example"));
    return p;
}

/* KiB of this process's own memory. */
static long private_kib(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[128];
    long sum = 0, n;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "Private_%*[A-Za-z]: %ld", &n) == 1)
            sum += n;
    fclose(f);
    return sum;
}

static void test_image(void **state)
{
    (void)state;
    if (!folder[0])
        skip();
    write_policy(N_NAMES);
    struct sek_policy *first = open_shared(folder);
    assert_int_equal(n_files(folder, "policy-image-"), 1);
    long before = private_kib();
    struct sek_policy *second = open_shared(folder);
    assert_true(private_kib() - before < 256);
    assert_int_equal(n_files(folder, "policy-image-"), 1);
    /* the file is overwritten in place, then replaced by another policy: both go on */
    struct stat st;
    assert_int_equal(stat(test_path(SEK_POLICY_IMAGE), &st), 0);
    assert_int_equal(truncate(test_path(SEK_POLICY_IMAGE), 0), 0);
    assert_true(lists(first, "name7.example"));
    write_policy(N_NAMES + 1);
    struct sek_policy *third = open_shared(folder);
    assert_int_equal(n_files(folder, "policy-image-"), 1);
    assert_true(lists(second, "name11.example"));
    sek_policy_close(first);
    sek_policy_close(second);
    sek_policy_close(third);
}

/* A shared copy that is damaged, or of another image, never counts. */
static void test_image_damaged(void **state)
{
    (void)state;
    if (!folder[0])
        skip();
    write_policy(N_NAMES);
    sek_policy_close(open_shared(folder));
    DIR *d = opendir(folder);
    struct dirent *e = NULL;
    assert_non_null(d);
    while ((e = readdir(d)) && strncmp(e->d_name, "policy-image-", 13) != 0)
        ;
    assert_non_null(e);
    chmod(in_folder(e->d_name), 0600);
    int fd = open(in_folder(e->d_name), O_WRONLY);
    assert_int_equal(pwrite(fd, "damage", 6, 500000), 6);
    sek_policy_close(open_shared(folder));
    assert_int_equal(pwrite(fd, "damage", 6, 0), 6); /* in the head */
    sek_policy_close(open_shared(folder));
    close(fd);
    closedir(d);
}

/* Without a folder in memory, and for small images: a copy of our own. */
static void test_image_own(void **state)
{
    (void)state;
    write_policy(N_NAMES);
    sek_policy_close(open_shared("/nowhere"));
    sek_policy_close(open_shared(test_folder));
    write_policy(100);
    sek_policy_close(open_shared(folder[0] ? folder : "/nowhere"));
    if (folder[0])
        assert_int_equal(n_files(folder, "policy-image-"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_image, setup, teardown),
        cmocka_unit_test_setup_teardown(test_image_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_image_own, setup, teardown),
    };

    return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
