/* SPDX-License-Identifier: BSD-3-Clause */
/* A classifier model that was altered after it was written, opened without its checksum: whatever
 * it holds, judging and explaining names stay within the map, and all ways of computing agree.
 * Input: the number of alterations, each a place (3 octets) and a value, or the place at which to
 * cut the file; then names in wire form. */
#include "classify/explain.h"
#include "tests/unit/model_fixture.h"
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

static char path[64];
static uint8_t *sound, *altered;
static size_t n_sound;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void leave(void)
{
    unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    snprintf(path, sizeof(path), "/dev/shm/fuzz_model.%ld", (long)getpid());
    atexit(leave);
    sound = model_make(5, false, &n_sound);
    altered = malloc(n_sound);
    if (!altered)
        abort();
    return 0;
}

static void use(const struct sek_classify *c, const struct sek_name *name)
{
    struct sek_score score = sek_classify_name(c, name);
    struct sek_why why;

    if (isnan(score.llr) || (score.length && score.label >= name->n_labels))
        abort();
    sek_classify_explain(c, name, &why);
    if (why.score.llr != score.llr || strlen(why.unit) != score.length)
        abort();
    for (unsigned k = 0; k < name->n_labels; k++)
        if (isnan(sek_classify_label(c, name, k).llr))
            abort();
}

static void use_all(const struct sek_classify *c, const uint8_t *data, size_t size)
{
    static const uint8_t fixed[][24] = {"", "\7example\3com", "\1x\7example\2co\2uk",
                                        "\4host\3dyn\3com", "\17xn--e1afmkfdxyz\3com"};
    struct sek_name name;

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (sek_name_from_wire(fixed[i], sizeof(fixed[i]), &name) == SEK_OK)
            use(c, &name);
    while (sek_name_from_wire(data, size, &name) == SEK_OK) {
        use(c, &name);
        data += name.len;
        size -= name.len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sek_classify *c;
    size_t n = n_sound, n_changes = size > 0 ? data[0] : 0;
    int fd;

    if (size > 0)
        data++, size--;
    memcpy(altered, sound, n_sound);
    for (; n_changes > 0 && size >= 4; n_changes--, data += 4, size -= 4) {
        size_t at = (size_t)(data[0] | data[1] << 8 | (data[2] & 0x7f) << 16) % n_sound;

        if (data[2] & 0x80)
            n = at < n ? at : n;
        else
            altered[at] = data[3];
    }
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, altered, n) != (ssize_t)n)
        abort();
    close(fd);
    if (sek__classify_open(path, false, &c, NULL) == SEK_OK) {
        use_all(c, data, size);
        sek_classify_close(c);
    }
    return 0;
}
