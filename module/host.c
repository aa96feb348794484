/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"
#include "host_ids.h" /* generated: SEK_HOST_BUILD_IDS, SEK_HOST_VERSION */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BUILD_ID_MAX 64 /* octets; GNU ld writes 20, lld up to 32 */

/* NUL-terminated "build-id=<hex>" and "version=<text>" items in a section of their own, so that
 * `sekisho check` reads them without loading the module. */
__attribute__((section(".sekisho.host"), used)) static const char host_ids[] =
    SEK_HOST_BUILD_IDS "version=" SEK_HOST_VERSION "\0";

static struct {
    void (*operate)(struct module_qstate *, int, int, struct outbound_entry *);
    void (*inform)(struct module_qstate *, int, struct module_qstate *);
    void (*clear)(struct module_qstate *, int);
} passer;

struct note_search {
    char *out;
    size_t size;
};

static void hex(const uint8_t *data, size_t n, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < n && 2 * i + 3 <= size; i++)
        snprintf(out + 2 * i, 3, "%02x", data[i]);
}

static size_t align4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static bool notes_find(const uint8_t *p, size_t size, struct note_search *s)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, p, sizeof note);
        size_t name_at = sizeof note;
        size_t desc_at = name_at + align4(note.n_namesz);
        size_t end = desc_at + align4(note.n_descsz);
        if (end > size)
            return false;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(p + name_at, "GNU", 4) == 0 && note.n_descsz <= BUILD_ID_MAX) {
            hex(p + desc_at, note.n_descsz, s->out, s->size);
            return true;
        }
        p += end;
        size -= end;
    }
    return false;
}

/* dl_iterate_phdr tells of the main program first; the search ends with it. */
static int program_visit(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type == PT_NOTE &&
            notes_find((const uint8_t *)(info->dlpi_addr + ph->p_vaddr), ph->p_memsz, arg))
            break;
    }
    return 1;
}

const char *sek_host_build_id(char *out, size_t size)
{
    struct note_search s = {.out = out, .size = size};
    out[0] = '\0';
    dl_iterate_phdr(program_visit, &s);
    return out;
}

bool sek_host_is_ours(void)
{
    char id[2 * BUILD_ID_MAX + 1], item[sizeof "build-id=" + 2 * BUILD_ID_MAX];
    if (!sek_host_build_id(id, sizeof id)[0])
        return false;
    snprintf(item, sizeof item, "build-id=%s", id);
    for (const char *p = host_ids; *p; p += strlen(p) + 1)
        if (strcmp(p, item) == 0)
            return true;
    return false;
}

const char *sek_host_version(void)
{
    return SEK_HOST_VERSION;
}

/* ISO C has no cast from an object to a function pointer; POSIX promises that this works. */
static void symbol(const char *name, void *out_function)
{
    void *address = dlsym(RTLD_DEFAULT, name);
    memcpy(out_function, &address, sizeof address);
}

bool sek_host_find_passer(void)
{
    symbol("respip_operate", &passer.operate);
    symbol("respip_inform_super", &passer.inform);
    symbol("respip_clear", &passer.clear);
    return passer.operate && passer.inform && passer.clear;
}

void sek_host_pass(struct module_qstate *qstate, int event, int id, struct outbound_entry *outbound)
{
    if (passer.operate)
        passer.operate(qstate, event, id, outbound);
}

void sek_host_inform(struct module_qstate *qstate, int id, struct module_qstate *super)
{
    if (passer.inform)
        passer.inform(qstate, id, super);
}

void sek_host_clear(struct module_qstate *qstate, int id)
{
    if (passer.clear)
        passer.clear(qstate, id);
}
