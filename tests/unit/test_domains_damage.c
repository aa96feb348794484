/* SPDX-License-Identifier: BSD-3-Clause */
#include "domains_files.h"
#include "seed.h"

/* --- damage ------------------------------------------------------------------------------------
 */

static void test_damage(void **state)
{
    static const struct {
        const char *label;
        off_t at;    /* of garbage; in blocks */
        off_t cut;   /* length of the file, in octets; 0: whole */
        bool reboot; /* as after a loss of power */
        bool aside;
        uint32_t least, most; /* of 20000 known that are left */
    } cases[] = {
        {"a block", 40, 0, false, true, 19700, 19950},
        {"a block, power lost", 40, 0, true, false, 19700, 19950},
        {"cut in the middle", 0, 60 * SEK_DOM_BLOCK, false, true, 5000, 9000},
        {"cut in the middle, power lost", 0, 60 * SEK_DOM_BLOCK, true, true, 5000, 9000},
        {"cut within a block", 0, 60 * SEK_DOM_BLOCK + 100, false, true, 5000, 9000},
        {"end missing, power lost", 0, 150 * SEK_DOM_BLOCK, true, false, 18000, 20000},
        {"first head", 0, 0, false, false, 20000, 20000},
        {"only heads left", 0, 2 * SEK_DOM_BLOCK, false, true, 0, 0},
        {"only half a head", 0, 100, false, true, 0, 0},
    };
    uint8_t garbage[SEK_DOM_BLOCK];

    (void)state;
    memset(garbage, 0xa5, sizeof(garbage));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char aside[SEK_DOMAINS_ASIDE_MAX];
        struct stat st;
        struct sek_dom_head head;
        uint32_t slot;

        empty_dir();
        make_file(20000, 100);
        read_head(&head, &slot);
        if (cases[i].reboot)
            pretend_reboot();
        if (cases[i].cut)
            assert_int_equal(truncate(path, cases[i].cut), 0);
        else if (cases[i].at)
            alter(cases[i].at * SEK_DOM_BLOCK, garbage, sizeof(garbage));
        else /* the one that is not current */
            alter((off_t)(slot ^ 1) * SEK_DOM_BLOCK, garbage, sizeof(garbage));
        struct sek_domains *d = open_file(aside);
        sample_check(d);
        uint32_t n = sample_count(d, 20000, "known");
        if (n < cases[i].least || n > cases[i].most || (aside[0] != 0) != cases[i].aside ||
            (aside[0] && stat(aside, &st) != 0) || (n < 20000) != (d->n_damaged > 0))
            fail_msg("%s: %u left, aside '%s', damaged %llu", cases[i].label, n, aside,
                     (unsigned long long)d->n_damaged);
        for (uint32_t k = 0; k < 20000; k++)
            sample_note(d, k, "known", NOW_S, true);
        sek_domains_close(d);
        d = open_file(NULL); /* whole again */
        assert_int_equal(sample_count(d, 20000, "known"), 20000);
        sek_domains_close(d);
        assert_int_equal(files_beside("corrupt"), cases[i].aside);
        assert_int_equal(files_beside("tmp"), 0);
    }
}

/* Both heads gone: the blocks still say what was known. */
static void test_no_head(void **state)
{
    uint8_t garbage[SEK_DOM_HEADS * SEK_DOM_BLOCK];
    char aside[SEK_DOMAINS_ASIDE_MAX];

    (void)state;
    for (int fill = 0; fill < 256; fill += 0xa5) {
        empty_dir();
        make_file(20000, 100);
        memset(garbage, fill, sizeof(garbage));
        alter(0, garbage, sizeof(garbage));
        struct sek_domains *d = open_file(aside);
        assert_string_not_equal(aside, "");
        assert_int_equal(sample_count(d, 20000, "known"), 20000);
        assert_int_equal(sek_domains_since_s(d), NOW_S);
        sek_domains_close(d);
        sek_domains_close(open_file(NULL));
    }
}

/* A loss of power: each block of the file is as it was at some earlier sync, or was never written.
 * What is there afterwards is right, and a block that was written last loses nothing. */
#define N_POWER 3000u
static void test_power(void **state)
{
    uint64_t seed = test_seed();
    uint8_t *image[4] = {NULL};
    size_t size[4];

    (void)state;
    for (int round = 0; round < 30; round++) {
        struct sek_domains *d;
        char aside[SEK_DOMAINS_ASIDE_MAX];
        struct sek_domain_seen seen;
        struct stat st;

        empty_dir();
        for (uint32_t stage = 0; stage < 4; stage++) {
            d = open_file(NULL);
            for (uint32_t i = stage * N_POWER; i < (stage + 1) * N_POWER; i++) {
                sample_note(d, i, "power", NOW_S + i, i % 3 > 0);
                sample_note(d, i / 2, "power", NOW_S + i, true);
            }
            sek_domains_close(d);
            int fd = open(path, O_RDONLY);
            assert_true(fd >= 0 && fstat(fd, &st) == 0);
            size[stage] = (size_t)st.st_size;
            image[stage] = calloc(1, 4 * MIB);
            assert_true(image[stage] && read(fd, image[stage], size[stage]) == st.st_size);
            close(fd);
        }
        for (size_t at = 0; at < size[3]; at += SEK_DOM_BLOCK) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            alter((off_t)at, image[at < SEK_DOM_HEADS * SEK_DOM_BLOCK ? 3 : seed >> 62] + at,
                  SEK_DOM_BLOCK);
        }
        pretend_reboot();
        d = open_file(aside);
        sample_check(d);
        for (uint32_t i = 0; i < 4 * N_POWER; i++)
            if (sample_find(d, i, "power", &seen) &&
                (seen.first_s > NOW_S + 2 * i + 1 || seen.first_s < NOW_S + i))
                fail_msg("domain %u: first seen at %lld", i, (long long)seen.first_s - NOW_S);
        assert_true(sample_count(d, N_POWER, "power") > N_POWER / 2);
        for (uint32_t i = 0; i < 4 * N_POWER; i++)
            sample_note(d, i, "power", NOW_S + i, true);
        sek_domains_close(d);
        d = open_file(NULL);
        assert_int_equal(sample_count(d, 4 * N_POWER, "power"), 4 * N_POWER);
        sek_domains_close(d);
        for (int i = 0; i < 4; i++)
            free(image[i]);
    }
}

static void test_put_aside_twice(void **state)
{
    uint8_t garbage[SEK_DOM_BLOCK] = {1};
    char aside[2][SEK_DOMAINS_ASIDE_MAX];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sek_domains *d;
        if (i == 0)
            make_file(20000, 0);
        alter(10 * SEK_DOM_BLOCK, garbage, sizeof(garbage));
        d = open_file(aside[i]);
        sek_domains_close(d);
    }
    assert_string_equal(strstr(aside[0], ".corrupt-"), ".corrupt-20261123T061700Z");
    assert_string_equal(strstr(aside[1], ".corrupt-"), ".corrupt-20261123T061700Z-1");
    assert_int_equal(files_beside("corrupt"), 2);
}

/* What is not for us is left as it is. */
static void test_newer(void **state)
{
    struct sek_dom_head head, now;
    struct sek_domains *d = NULL;
    struct sek_diag diag;
    int fd;

    (void)state;
    make_file(100, 0);
    read_head(&head, NULL);
    head.version++;
    head.turn++;
    write_head(&head);
    assert_int_equal(open_fails(&diag), SEK_E_VERSION);
    assert_int_equal(sek_domains_open_read(path, &d, &diag), SEK_E_VERSION);
    fd = open(path, O_RDONLY);
    assert_true(pread(fd, &now, sizeof(now), (off_t)(head.turn % SEK_DOM_HEADS) * SEK_DOM_BLOCK) ==
                sizeof(now));
    assert_memory_equal(&now, &head, sizeof(now));
    close(fd);
    assert_int_equal(files_beside("corrupt"), 0);
}

static void test_foreign(void **state)
{
    static const char foreign[] = "root:x:0:0:root:/root:/bin/bash\nand some more of it\n";
    struct sek_diag diag;
    char text[sizeof(foreign)] = "";
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    struct sek_domains *d = NULL;

    (void)state;
    assert_true(fd >= 0 && write(fd, foreign, sizeof(foreign)) == sizeof(foreign));
    assert_int_equal(open_fails(&diag), SEK_E_CORRUPT);
    assert_int_equal(sek_domains_open_read(path, &d, &diag), SEK_E_CORRUPT);
    assert_true(pread(fd, text, sizeof(text), 0) == sizeof(text));
    assert_string_equal(text, foreign);
    close(fd);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(open_fails(&diag) != SEK_OK);
    rmdir(path);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_true(open_fails(&diag) != SEK_OK);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(open_fails(&diag) != SEK_OK);
    unlink(path);
    /* an empty file is one that was never begun */
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    close(fd);
    sek_domains_close(open_file(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_damage, setup),
        cmocka_unit_test_setup(test_no_head, setup),
        cmocka_unit_test_setup(test_power, setup),
        cmocka_unit_test_setup(test_put_aside_twice, setup),
        cmocka_unit_test_setup(test_newer, setup),
        cmocka_unit_test_setup(test_foreign, setup),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
