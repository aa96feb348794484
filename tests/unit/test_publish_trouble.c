/* SPDX-License-Identifier: BSD-3-Clause */
/* Publication when something goes wrong: damaged files, a crash between any two steps, an old copy
 * of the database, two commands at once, a full disk. */
#include "publish_fixture.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- crashes, damage, copies ---------------------------------------------------------------------
 */

static void damage(const char *file, off_t at)
{
    int fd = open(file, O_RDWR);
    struct stat st;
    char octet;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    at = at < 0 ? st.st_size + at : at;
    assert_int_equal(pread(fd, &octet, 1, at), 1);
    octet ^= 0x40;
    assert_int_equal(pwrite(fd, &octet, 1, at), 1);
    close(fd);
}

static void image_damage(void)
{
    damage(image, -1);
}
static void image_truncate(void)
{
    assert_int_equal(truncate(image, 100), 0);
}
static void image_empty(void)
{
    assert_int_equal(truncate(image, 0), 0);
}
static void image_remove(void)
{
    unlink(image);
}
static void image_is_delta(void)
{
    copy(delta, image);
}
static void delta_damage(void)
{
    damage(delta, -1);
}
static void delta_remove(void)
{
    unlink(delta);
}
static void both_damage(void)
{
    image_damage();
    delta_damage();
}

static void test_damage_is_mended(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        void (*harm)(void);
        bool full; /* what mends it */
    } cases[] = {
        {"image damaged", image_damage, true},    {"image truncated", image_truncate, true},
        {"image empty", image_empty, true},       {"image removed", image_remove, true},
        {"delta as image", image_is_delta, true}, {"delta damaged", delta_damage, false},
        {"delta removed", delta_remove, false},   {"both damaged", both_damage, true},
    };
    struct sek_policydb *db = db_open();
    edit(db, 1, numbered(9), SEK_SCOPE_SUBTREE, true, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        publish(db, true);
        edit(db, 1, numbered(20 + (unsigned)i), SEK_SCOPE_SUBTREE, true, 0);
        publish(db, false);
        cases[i].harm();
        struct sek_image_info info = publish(db, false);
        if ((info.base_id == 0) != cases[i].full)
            fail_msg("%s: mended in another way", cases[i].label);
        check_files(db);
    }
    sek_policydb_close(db);
}

static uint64_t previous(void)
{
    struct sek_policy *p;
    if (sek_policy_open_previous(dir, &p, NULL) != SEK_OK)
        return 0;
    uint64_t generation = sek_policy_generation(p);
    sek_policy_close(p);
    return generation;
}

static uint64_t edit_further(struct sek_policydb *db, unsigned n, bool full)
{
    edit(db, 1, numbered(n), SEK_SCOPE_SUBTREE, true, 0);
    return publish(db, full).generation;
}

/* Whatever was in force right before the newest files can be had when those are damaged; what is
 * damaged never takes its place. */
static void test_previous_is_kept(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    uint64_t generation = publish(db, true).generation;
    image_damage();
    assert_int_equal(previous(), 0); /* there was none before it */
    publish(db, false);
    assert_int_equal(edit_further(db, 8, false), ++generation);
    delta_damage();
    assert_int_equal(previous(), generation - 1); /* the image by itself */
    for (unsigned n = 9; n < 12; n++) {
        publish(db, false);
        assert_int_equal(edit_further(db, n, false), ++generation);
        delta_damage();
        assert_int_equal(previous(), generation - 1);
    }
    publish(db, false);
    assert_int_equal(edit_further(db, 12, true), ++generation);
    image_damage();
    assert_int_equal(previous(), generation - 1); /* an image and its last delta */
    publish(db, false);
    assert_int_equal(previous(), generation); /* unused, but what a reader would get now */
    image_damage();
    assert_int_equal(previous(), generation - 1);
    publish(db, false);
    check_files(db);
    sek_policydb_close(db);
}

/* Readers stop at a damaged delta, also where the image alone has everything. */
static void test_junk_delta(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    edit(db, 1, numbered(9), SEK_SCOPE_SUBTREE, true, 0);
    publish(db, true);
    copy(path, delta);
    publish(db, false);
    check_files(db);
    sek_policydb_close(db);
}

/* The states that a crash leaves, made by bringing single files back. Readers must see the old or
 * the new policy, never a mixture, and the next run must put everything right. */
static void test_crash_points(void **state)
{
    (void)state;
    char old_db[80], old_delta[80];
    struct sek_policy *p;
    snprintf(old_db, sizeof old_db, "%s/old.db", dir);
    snprintf(old_delta, sizeof old_delta, "%s/old.delta", dir);
    struct sek_policydb *db = db_open();
    publish(db, true);
    edit(db, 1, numbered(9), SEK_SCOPE_SUBTREE, true, 0);
    uint64_t generation = publish(db, false).generation;
    copy(path, old_db);
    copy(delta, old_delta);
    publish(db, true);

    /* the image is renamed, its delta not yet removed: it fits no more and is left out */
    copy(old_delta, delta);
    OK(sek_policy_open(dir, &p, &diag));
    assert_int_equal(sek_policy_generation(p), generation);
    sek_policy_close(p);
    check_files(db);
    publish(db, false);
    check_files(db);

    /* the image is in place, but the database has not noted it */
    sek_policydb_close(db);
    copy(old_db, path);
    db = db_open();
    check_files(db);
    edit(db, 1, numbered(10), SEK_SCOPE_SUBTREE, true, 0);
    assert_int_equal(publish(db, false).base_id, 0);
    check_files(db);

    /* committed, but nothing was published */
    edit(db, 1, numbered(11), SEK_SCOPE_SUBTREE, true, 0);
    sek_policydb_close(db);
    db = db_open();
    publish(db, false);
    check_files(db);
    sek_policydb_close(db);
    unlink(old_db);
    unlink(old_delta);
}

/* policy.db brought back from an old copy: its generation has to pass that of the files, or a
 * command would believe at once that its change is in force. */
static void test_old_database(void **state)
{
    (void)state;
    char old_db[80];
    snprintf(old_db, sizeof old_db, "%s/old.db", dir);
    struct sek_policydb *db = db_open();
    publish(db, true);
    edit(db, 1, numbered(8), SEK_SCOPE_SUBTREE, true, 0);
    publish(db, false);
    copy(path, old_db);
    for (unsigned i = 9; i < 20; i++)
        edit(db, 1, numbered(i), SEK_SCOPE_SUBTREE, true, 0);
    uint64_t newest = publish(db, false).generation;
    sek_policydb_close(db);
    copy(old_db, path);
    db = db_open();
    edit(db, 1, numbered(30), SEK_SCOPE_SUBTREE, true, 0);
    assert_true(publish(db, false).generation > newest);
    check_files(db);
    sek_policydb_close(db);
    unlink(old_db);
}

/* A resolver that runs may have had files that are gone: what is new must pass them as well. */
static void test_seen_by_resolver(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    edit(db, 1, numbered(8), SEK_SCOPE_SUBTREE, true, 0);
    sek_policydb_seen(db, generation_of(db)); /* the files of another database, now gone */
    assert_int_equal(publish(db, false).generation, 3);
    check_files(db);
    sek_policydb_seen(db, 3); /* these very files */
    assert_int_equal(publish(db, false).generation, 3);
    assert_int_equal(publish(db, true).generation, 3);
    edit(db, 1, numbered(9), SEK_SCOPE_SUBTREE, true, 0);
    assert_int_equal(publish(db, false).generation, 4);
    sek_policydb_seen(db, 10);
    assert_int_equal(publish(db, false).generation, 11);
    check_files(db);
    unlink(image);
    sek_policydb_seen(db, 11);
    assert_int_equal(publish(db, false).generation, 12);
    check_files(db);
    sek_policydb_close(db);
}

/* An image of somebody else that happens to have the same generation. */
static void test_foreign_image_seen(void **state)
{
    (void)state;
    char aside[80];
    snprintf(aside, sizeof aside, "%s/aside.img", dir);
    struct sek_policydb *db = db_open();
    uint64_t generation = publish(db, true).generation;
    copy(image, aside);
    publish(db, true);
    copy(aside, image);
    sek_policydb_seen(db, generation);
    assert_true(publish(db, false).generation > generation);
    check_files(db);
    sek_policydb_close(db);
    unlink(aside);
}

static void test_folder_errors(void **state)
{
    (void)state;
    struct sek_policydb *db = db_open();
    char long_dir[600];
    memset(long_dir, 'a', sizeof long_dir);
    long_dir[sizeof long_dir - 1] = '\0';
    assert_int_equal(sek_policydb_compile(db, "/nonexistent", NOW, false, NULL, NULL, NULL, NULL),
                     SEK_E_NOTFOUND);
    assert_int_equal(sek_policydb_compile(db, long_dir, NOW, false, NULL, NULL, NULL, NULL),
                     SEK_E_LIMIT);
    assert_int_equal(symlink("/dev/null", lock), 0); /* not followed */
    assert_int_not_equal(sek_policydb_compile(db, dir, NOW, false, NULL, NULL, NULL, NULL), SEK_OK);
    sek_policydb_close(db);
}

/* Two processes change and publish at once: the last state is in force, whole. */
static void edit_and_publish(unsigned from)
{
    struct sek_policydb *db = db_open();
    for (unsigned n = from; n < from + 20; n++) {
        edit(db, 1, numbered(n), SEK_SCOPE_SUBTREE, true, 0);
        publish(db, n % 7 == 0);
    }
    sek_policydb_close(db);
}

static void test_two_processes(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        edit_and_publish(10);
        _exit(0);
    }
    edit_and_publish(35);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    struct sek_policydb *db = db_open();
    check_files(db);
    sek_policydb_close(db);
}

/* Runs in a child: policy.img does not fit on the "disk". */
static void disk_full_child(void)
{
    struct sek_policydb *db = db_open();
    struct sek_diag diag = {0};
    const struct rlimit limit = {600, 600};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit))
        _exit(2);
    enum sek_err err = sek_policydb_compile(db, dir, NOW, true, NULL, NULL, NULL, &diag);
    sek_policydb_close(db);
    _exit(err == SEK_OK ? 3 : 0);
}

static void test_disk_full(void **state)
{
    (void)state;
    int status;
    struct sek_policydb *db = db_open();
    for (unsigned i = 0; i < N_NAMES; i++)
        edit(db, 1, numbered(i), SEK_SCOPE_SUBTREE, true, 0);
    uint64_t id = publish(db, false).id;
    sek_policydb_close(db);
    pid_t pid = fork();
    if (pid == 0)
        disk_full_child();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    db = db_open();
    check_files(db); /* the old policy is whole, no half file is left */
    assert_int_equal(publish(db, false).id, id);
    sek_policydb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_FILES(test_damage_is_mended),   ON_FILES(test_previous_is_kept),
        ON_FILES(test_junk_delta),         ON_FILES(test_crash_points),
        ON_FILES(test_old_database),       ON_FILES(test_seen_by_resolver),
        ON_FILES(test_foreign_image_seen), ON_FILES(test_folder_errors),
        ON_FILES(test_two_processes),      ON_FILES(test_disk_full),
    };
    return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
