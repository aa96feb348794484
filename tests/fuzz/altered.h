/* SPDX-License-Identifier: BSD-3-Clause */
/* What fuzz targets of file formats share: a sound file, altered as the input says, under a path in
 * memory. Input: the number of alterations, each a place (3 octets) and a value, or the place at
 * which to cut the file; then whatever the target makes of the rest. */
#pragma once
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    char path[64];
    uint8_t *sound, *now; /* n octets each */
    size_t n;
} file;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void altered_leave(void)
{
    unlink(file.path);
}

/* Set the path; the file goes with the program. */
static inline void altered_init(const char *target)
{
    snprintf(file.path, sizeof(file.path), "/dev/shm/fuzz_%s.%ld", target, (long)getpid());
    atexit(altered_leave);
}

/* octets: from malloc, kept. */
static inline void altered_sound(uint8_t *octets, size_t n)
{
    file.sound = octets;
    file.n = n;
    file.now = malloc(n);
    if (!file.sound || !file.now)
        abort();
}

/* The file at the path is the sound one. */
static inline void altered_sound_file(void)
{
    int fd = open(file.path, O_RDONLY);
    size_t n = fd < 0 ? 0 : (size_t)lseek(fd, 0, SEEK_END);
    uint8_t *octets = malloc(n + 1);

    if (!octets || pread(fd, octets, n, 0) != (ssize_t)n)
        abort();
    close(fd);
    altered_sound(octets, n);
}

/* Alter a copy, and move on to the rest of the input. Returns how much of it is left. */
static inline size_t altered_by(const uint8_t **data, size_t *size)
{
    const uint8_t *p = *data, *end = p + *size;
    size_t n = file.n, n_changes = p < end ? *p++ : 0;

    memcpy(file.now, file.sound, file.n);
    for (; n_changes > 0 && end - p >= 4; n_changes--, p += 4) {
        size_t at = (size_t)(p[0] | p[1] << 8 | (p[2] & 0x7f) << 16) % file.n;

        if (p[2] & 0x80)
            n = at < n ? at : n;
        else
            file.now[at] = p[3];
    }
    *size = (size_t)(end - p);
    *data = p;
    return n;
}

/* Put the copy's first n octets in the file's place; a new file, as a file in use is never changed.
 */
static inline void altered_put(size_t n)
{
    int fd;

    unlink(file.path);
    fd = open(file.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || write(fd, file.now, n) != (ssize_t)n)
        abort();
    close(fd);
}
