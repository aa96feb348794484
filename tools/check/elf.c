/* SPDX-License-Identifier: BSD-3-Clause */
#include "elf.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define FILE_MAX_OCTETS ((size_t)1 << 30)
#define SECTION_MAX ((size_t)64 << 10)
#define ID_MAX 64 /* octets; GNU ld writes 20 */

/* A file mapped for reading. Programs are replaced by rename, not cut while in use; a file that is
 * cut all the same would end this process, which has nothing open for writing. */
struct image {
    const uint8_t *data;
    size_t size;
    ElfW(Ehdr) header;
};

static bool get(const struct image *m, uint64_t at, void *out, size_t n)
{
    if (at > m->size || m->size - at < n)
        return false;
    memcpy(out, m->data + at, n);
    return true;
}

static void image_close(struct image *m)
{
    if (m->data)
        munmap((void *)(uintptr_t)m->data, m->size);
    m->data = NULL;
}

static enum sek_err map_file(const char *path, struct image *m, struct sek_diag *diag)
{
    struct stat st;
    *m = (struct image){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return sek_diag_set(diag, sek_err_from_errno(errno), "%s: %s", path, strerror(errno));
    void *data = MAP_FAILED;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (uint64_t)st.st_size <= FILE_MAX_OCTETS)
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED)
        return sek_diag_set(diag, SEK_E_INVALID, "%s: no program file", path);
    m->data = data;
    m->size = (size_t)st.st_size;
    return SEK_OK;
}

static enum sek_err image_open(const char *path, struct image *m, struct sek_diag *diag)
{
    enum sek_err e = map_file(path, m, diag);
    if (e)
        return e;
    const unsigned char native = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    const uint16_t order = 1;
    const unsigned char endian = *(const unsigned char *)&order ? ELFDATA2LSB : ELFDATA2MSB;
    if (get(m, 0, &m->header, sizeof m->header) &&
        memcmp(m->header.e_ident, ELFMAG, SELFMAG) == 0 && m->header.e_ident[EI_CLASS] == native &&
        m->header.e_ident[EI_DATA] == endian)
        return SEK_OK;
    image_close(m);
    return sek_diag_set(diag, SEK_E_INVALID, "%s: no program of this kind of machine", path);
}

static size_t align4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* Look through one PT_NOTE segment. */
static bool find_id(const struct image *m, uint64_t at, uint64_t size, struct sek_buf *out)
{
    ElfW(Nhdr) note;
    if (at > m->size || size > m->size - at)
        return false;
    for (uint64_t end = at + size; end - at >= sizeof note;) {
        if (!get(m, at, &note, sizeof note))
            return false;
        uint64_t name_at = at + sizeof note, id_at = name_at + align4(note.n_namesz);
        uint64_t next = id_at + align4(note.n_descsz);
        if (next > end)
            return false;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz <= ID_MAX &&
            memcmp(m->data + name_at, "GNU", 4) == 0) {
            for (size_t i = 0; i < note.n_descsz; i++)
                sek_buf_add_fmt(out, "%02x", m->data[id_at + i]);
            return true;
        }
        at = next;
    }
    return false;
}

enum sek_err sek_elf_build_id(const char *path, struct sek_buf *out, struct sek_diag *diag)
{
    struct image m;
    enum sek_err e = image_open(path, &m, diag);
    if (e)
        return e;
    bool found = false;
    for (size_t i = 0; !found && i < m.header.e_phnum; i++) {
        ElfW(Phdr) segment;
        if (!get(&m, m.header.e_phoff + i * sizeof segment, &segment, sizeof segment))
            break;
        found = segment.p_type == PT_NOTE && find_id(&m, segment.p_offset, segment.p_filesz, out);
    }
    image_close(&m);
    return found ? SEK_OK : sek_diag_set(diag, SEK_E_NOTFOUND, "%s: has no build-id", path);
}

static bool section_at(const struct image *m, size_t i, ElfW(Shdr) * out)
{
    return i < m->header.e_shnum && get(m, m->header.e_shoff + i * sizeof *out, out, sizeof *out);
}

static bool is_named(const struct image *m, const ElfW(Shdr) * names, const ElfW(Shdr) * s,
                     const char *name)
{
    char found[64];
    size_t n = strlen(name) + 1;
    return n <= sizeof found && s->sh_name < names->sh_size &&
           get(m, names->sh_offset + s->sh_name, found, n) && memcmp(found, name, n) == 0;
}

enum sek_err sek_elf_section(const char *path, const char *name, struct sek_buf *out,
                             struct sek_diag *diag)
{
    struct image m;
    ElfW(Shdr) names, s;
    enum sek_err e = image_open(path, &m, diag);
    if (e)
        return e;
    e = SEK_E_NOTFOUND;
    bool have_names = section_at(&m, m.header.e_shstrndx, &names);
    for (size_t i = 0; e == SEK_E_NOTFOUND && have_names && section_at(&m, i, &s); i++) {
        if (!is_named(&m, &names, &s, name))
            continue;
        e = SEK_E_CORRUPT;
        if (s.sh_offset <= m.size && s.sh_size <= m.size - s.sh_offset &&
            s.sh_size <= SECTION_MAX) {
            sek_buf_add(out, m.data + s.sh_offset, s.sh_size);
            e = SEK_OK;
        }
    }
    image_close(&m);
    return e ? sek_diag_set(diag, e, "%s: %s section %s", path,
                            e == SEK_E_NOTFOUND ? "has no" : "damaged", name)
             : SEK_OK;
}

enum sek_err sek_elf_mentions(const char *path, const char *text, bool *out, struct sek_diag *diag)
{
    struct image m;
    enum sek_err e = image_open(path, &m, diag);
    if (e)
        return e;
    *out = memmem(m.data, m.size, text, strlen(text)) != NULL;
    image_close(&m);
    return SEK_OK;
}
