/* SPDX-License-Identifier: BSD-3-Clause */
/* A policy image that was altered after it was written, opened without its checksum: whatever it
 * holds, looking names up and walking it stay within memory. Input: altered.h, then names in wire
 * form. */
#include "policy/policy.h"
#include "tests/fuzz/altered.h"

static volatile uint64_t sum;

static void add(struct sek_compile *c, const char *wire, size_t len, struct sek_rule rule)
{
    if (sek_compile_rule(c, (const uint8_t *)wire, len, &rule, NULL) != SEK_OK)
        abort();
}

/* Few names, but every form of an entry: short, long and too long for a line, rule sets near and
 * far, the root. */
static void make_sound(void)
{
    struct sek_compile *c;
    struct sek_list list = {.id = 1, .mode = SEK_MODE_BLOCK, .name = "fuzz"};
    struct sek_image_info info = {.generation = 1};
    char wire[80] = "\1a\3com";

    if (sek_compile_new(0, &c, NULL) != SEK_OK || sek_compile_list(c, &list, NULL) != SEK_OK)
        abort();
    add(c, "", 1, (struct sek_rule){.list = 1, .scope = SEK_SCOPE_EXACT});
    for (char i = 0; i < 60; i++) {
        wire[1] = (char)('a' + i);
        add(c, wire, 7,
            (struct sek_rule){.list = 1, .scope = SEK_SCOPE_SUBTREE, .expires_s = i / 3});
    }
    wire[0] = 63;
    memset(wire + 1, 0x7f, 63);
    memcpy(wire + 64, "\3com", 5);
    add(c, wire, 69, (struct sek_rule){.list = 1, .scope = SEK_SCOPE_BELOW});
    for (unsigned char i = 1; i < 64; i++)
        wire[i] = (char)(i | 0x80);
    add(c, wire, 69, (struct sek_rule){.list = 1, .scope = SEK_SCOPE_SUBTREE});
    if (sek_compile_write(c, file.path, &info, NULL, NULL, NULL) != SEK_OK)
        abort();
    sek_compile_free(c);
    altered_sound_file();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    altered_init("image");
    make_sound();
    return 0;
}

static bool walk(void *arg, const struct sek_name *name, const struct sek_rule *rules, unsigned n)
{
    (void)arg;
    sum += name->octets[name->len - 1];
    for (unsigned i = 0; i < n; i++)
        sum += rules[i].action;
    return true;
}

static void look_up(const struct sek_image *image, const struct sek_name *name)
{
    struct sek_met met[SEK_LABELS_MAX + 1];
    struct sek_trail trail;

    sek_image_trail(image, name, &trail);
    unsigned n = sek_image_lookup(image, name, &trail, met);
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < met[i].n; k++)
            sum += met[i].rules[k].action;
}

/* Names of the sound image, and those of the input. */
static void use(const struct sek_image *image, const uint8_t *data, size_t size)
{
    struct sek_name name;
    uint8_t wire[] = "\1a\3com";
    unsigned n;

    for (unsigned i = 0; i < 60; i++) {
        wire[1] = (uint8_t)('a' + i);
        if (sek_name_from_wire(wire, sizeof(wire), &name) == SEK_OK)
            look_up(image, &name);
    }
    uint8_t far_away[69] = {63};
    for (uint8_t i = 1; i < 64; i++)
        far_away[i] = i | 0x80;
    memcpy(far_away + 64, "\3com", 5);
    if (sek_name_from_wire(far_away, sizeof(far_away), &name) == SEK_OK)
        look_up(image, &name);
    while (sek_name_from_wire(data, size, &name) == SEK_OK) {
        look_up(image, &name);
        data += name.len;
        size -= name.len;
    }
    sek_image_each(image, walk, NULL);
    const int64_t *times = sek_image_expiries(image, &n);
    for (unsigned i = 0; i < n; i++)
        sum += (uint64_t)times[i];
    const struct sek_list *lists = sek_image_lists(image, &n);
    for (unsigned i = 0; i < n; i++)
        sum += strlen(lists[i].name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sek_image *image;

    altered_put(altered_by(&data, &size));
    if (sek_image_open(file.path, false, &image, NULL) == SEK_OK) {
        use(image, data, size);
        sek_image_close(image);
    }
    return 0;
}
