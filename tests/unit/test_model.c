/* SPDX-License-Identifier: BSD-3-Clause */
/* Model files that are damaged or foreign are refused, each with its own text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "model_fixture.h"
#include <math.h>

static char path[] = "/tmp/sek-test-model-XXXXXX";
static uint8_t *sound, *altered;
static size_t n_sound;

static struct sek_model_head *head_of(uint8_t *octets)
{
    return (void *)octets;
}

static void *section(int which)
{
    uint64_t at[SEK__MODEL_N_SECTIONS + 1];

    sek__model_layout(head_of(sound), at);
    return altered + at[which];
}

static void expect(const char *label, size_t n, bool sum, enum sek_err code, const char *text)
{
    struct sek_classify *c = NULL;
    struct sek_diag diag = {0};

    model_write(altered, n, sum, path);
    if (sek_classify_open(path, &c, &diag) != code || c || !strstr(diag.text, text) ||
        strncmp(diag.text, path, strlen(path)) != 0)
        fail_msg("%s: code %d \"%s\"", label, diag.code, diag.text);
}

#define EXPECT(change, code, text)                                                                 \
    do {                                                                                           \
        memcpy(altered, sound, n_sound);                                                           \
        change;                                                                                    \
        expect(#change, n_sound, true, code, text);                                                \
    } while (0)

static void test_sound(void **state)
{
    struct sek_classify *c = NULL;
    struct sek_diag diag = {0};
    int64_t made_s;

    (void)state;
    model_write(sound, n_sound, true, path);
    if (sek_classify_open(path, &c, &diag) != SEK_OK)
        fail_msg("%s", diag.text);
    assert_string_equal(sek_classify_about(c, &made_s), "a fixture");
    assert_int_equal(made_s, 1700000000);
    assert_true(sek_classify_block_llr(c) == 6.0f && sek_classify_monitor_llr(c) == 5.0f);
    sek_classify_close(c);
    sek_classify_close(NULL);
}

static void test_head(void **state)
{
    struct sek_model_head *h = head_of(altered);

    (void)state;
    EXPECT(h->magic[0] = 'x', SEK_E_CORRUPT, "not a classifier model");
    EXPECT(h->order = 0x04030201, SEK_E_VERSION, "octet order");
    EXPECT(h->version++, SEK_E_VERSION, "has format 2, this program reads 1");
    EXPECT(h->size++, SEK_E_CORRUPT, "wrong size");
    EXPECT(h->n_slots = 0, SEK_E_CORRUPT, "number of suffixes");
    EXPECT(h->n_slots = 65, SEK_E_CORRUPT, "number of suffixes");
    EXPECT(h->n_slots = 1u << 31, SEK_E_CORRUPT, "number of suffixes");
    EXPECT(h->n_slots *= 2, SEK_E_CORRUPT, "wrong size");
    EXPECT(h->n_classes = 0, SEK_E_CORRUPT, "suffix classes");
    EXPECT(h->n_classes = 257, SEK_E_CORRUPT, "suffix classes");
    EXPECT(h->n_classes = 200, SEK_E_CORRUPT, "wrong size");
    EXPECT(h->n_heads = 256, SEK_E_CORRUPT, "number of kinds");
    EXPECT(h->n_heads = 0, SEK_E_CORRUPT, "wrong size");
    EXPECT(h->table_shift = 0, SEK_E_CORRUPT, "bad scale");
    EXPECT(h->conv2_shift = 21, SEK_E_CORRUPT, "bad scale");
    EXPECT(h->conv3_shift = 32, SEK_E_CORRUPT, "bad scale");
    EXPECT(h->dense_shift = 0, SEK_E_CORRUPT, "bad scale");
    EXPECT(h->out_shift = ~0u, SEK_E_CORRUPT, "bad scale");
    EXPECT(h->head_shift = 99, SEK_E_CORRUPT, "bad scale");
    EXPECT(h->stage1_unit = 0, SEK_E_CORRUPT, "bad unit");
    EXPECT(h->curve[0].step = 0, SEK_E_CORRUPT, "calibration");
    EXPECT(h->curve[1].step = -1, SEK_E_CORRUPT, "calibration");
    EXPECT(h->curve[1].first = INT32_MAX, SEK_E_CORRUPT, "calibration");
    EXPECT(h->curve[0].at[7] = NAN, SEK_E_CORRUPT, "calibration");
    EXPECT(h->curve[0].at[63] = INFINITY, SEK_E_CORRUPT, "calibration");
    EXPECT(h->curve[1].at[5] = 99, SEK_E_CORRUPT, "calibration");
    EXPECT(h->block = NAN, SEK_E_CORRUPT, "thresholds");
    EXPECT(h->monitor = 7, SEK_E_CORRUPT, "thresholds");
    EXPECT(memset(h->about, 'x', sizeof(h->about)), SEK_E_CORRUPT, "description");
}

static void fill_slots(unsigned from, unsigned n)
{
    struct sek_suffix_slot *slots = section(SEK__MODEL_SLOTS);

    for (unsigned i = 0; i < n; i++)
        slots[from + i].flags = SEK_SUFFIX_IS;
}

static void test_sections(void **state)
{
    struct sek_suffix_slot *slots = section(SEK__MODEL_SLOTS);
    struct sek_kind_row *kinds = section(SEK__MODEL_KINDS);

    (void)state;
    EXPECT(slots[3].flags = 32, SEK_E_CORRUPT, "bad suffix");
    EXPECT(slots[63].class_id = MODEL_CLASSES, SEK_E_CORRUPT, "bad suffix");
    EXPECT(slots[0].zero = 1, SEK_E_CORRUPT, "bad suffix");
    EXPECT(fill_slots(0, MODEL_SLOTS), SEK_E_CORRUPT, "too many suffixes");
    EXPECT(memset(kinds[1].name, 'x', SEK_HEAD_NAME), SEK_E_CORRUPT, "name of a kind");
}

static void test_checksum(void **state)
{
    uint64_t at[SEK__MODEL_N_SECTIONS + 1];

    (void)state;
    sek__model_layout(head_of(sound), at);
    for (int s = 1; s < SEK__MODEL_N_SECTIONS; s++) {
        memcpy(altered, sound, n_sound);
        altered[at[s]] ^= 1;
        expect("one bit of a section", n_sound, false, SEK_E_CORRUPT,
               s == SEK__MODEL_SLOTS ? "damaged" : "wrong checksum");
    }
    memcpy(altered, sound, n_sound);
    altered[n_sound - 1] ^= 0x80;
    expect("last octet", n_sound, false, SEK_E_CORRUPT, "wrong checksum");
    memcpy(altered, sound, n_sound);
    head_of(altered)->sum ^= 1;
    expect("the sum itself", n_sound, false, SEK_E_CORRUPT, "wrong checksum");
}

static void test_lengths(void **state)
{
    (void)state;
    memcpy(altered, sound, n_sound);
    expect("empty", 0, false, SEK_E_CORRUPT, "too short");
    expect("half a head", 100, false, SEK_E_CORRUPT, "too short");
    expect("head only", sizeof(struct sek_model_head), false, SEK_E_CORRUPT, "wrong size");
    expect("cut", n_sound - 64, false, SEK_E_CORRUPT, "wrong size");
    expect("cut by one", n_sound - 1, false, SEK_E_CORRUPT, "wrong size");
}

static void test_no_file(void **state)
{
    struct sek_classify *c = NULL;
    struct sek_diag diag = {0};

    (void)state;
    assert_int_equal(sek_classify_open("/nonexistent/dga.model", &c, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, "/nonexistent/dga.model"));
    assert_int_not_equal(sek_classify_open("/dev/null", &c, NULL), SEK_OK);
    assert_int_not_equal(sek_classify_open("/tmp", &c, NULL), SEK_OK);
    assert_null(c);
}

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    if (fd < 0)
        return -1;
    close(fd);
    sound = model_make(3, true, &n_sound);
    head_of(sound)->sum = sek_model_sum(head_of(sound), n_sound);
    altered = malloc(n_sound);
    return altered ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(sound);
    free(altered);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),    cmocka_unit_test(test_head),
        cmocka_unit_test(test_sections), cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_lengths),  cmocka_unit_test(test_no_file),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
