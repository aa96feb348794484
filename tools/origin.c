/* SPDX-License-Identifier: BSD-3-Clause */
#include "origin.h"
#include "base/addr.h"
#include "base/file.h"
#include "base/utf8.h"
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/banned.h"

#define NO_UID ((uid_t)-1)
#define ANCESTORS_MAX 64
#define ENVIRON_MAX (4U << 20)
#define COMMAND_MAX 16384 /* octets of a command line that is kept */

/* --- user --------------------------------------------------------------------------------------
 */

static bool name_of_uid(uid_t uid, char *out, size_t size)
{
    struct passwd entry, *found = NULL;
    char room[4096];
    if (getpwuid_r(uid, &entry, room, sizeof room, &found) || !found || !*found->pw_name)
        return false;
    snprintf(out, size, "%s", found->pw_name);
    return true;
}

static uid_t read_uid(const char *text)
{
    char *end;
    unsigned long n = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : NO_UID;
    return n < NO_UID && (*end == '\0' || *end == '\n') ? (uid_t)n : NO_UID;
}

static uid_t login_uid(void)
{
    char text[32] = "";
    FILE *f = fopen("/proc/self/loginuid", "re");
    if (!f)
        return NO_UID;
    if (!fgets(text, sizeof text, f))
        *text = '\0';
    fclose(f);
    return read_uid(text);
}

uid_t sek_origin_user(uid_t uid, uid_t login, uid_t sudo)
{
    if (login != NO_UID)
        return login;
    return uid == 0 && sudo != NO_UID ? sudo : uid;
}

/* --- terminal ----------------------------------------------------------------------------------
 */

const char *sek_origin_tty(unsigned device, char *out, size_t size)
{
    unsigned major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);
    if (device == 0)
        snprintf(out, size, "%s", "");
    else if (major >= 136 && major <= 143) /* admin-guide/devices.txt of the kernel */
        snprintf(out, size, "pts/%u", minor + ((major - 136) << 20));
    else if (major == 4)
        snprintf(out, size, minor < 64 ? "tty%u" : "ttyS%u", minor < 64 ? minor : minor - 64);
    else
        snprintf(out, size, "terminal %u:%u", major, minor);
    return out;
}

/* Field 4 and 7 of /proc/PID/stat; the name of the program before them may hold anything. */
static bool read_stat(pid_t pid, pid_t *out_parent, unsigned *out_tty)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(line, 1, sizeof line - 1, f) : 0;
    if (f)
        fclose(f);
    line[n] = '\0';
    const char *behind = strrchr(line, ')');
    int parent, tty;
    if (!behind || sscanf(behind, ") %*c %d %*d %*d %d", &parent, &tty) != 2)
        return false;
    *out_parent = parent;
    *out_tty = (unsigned)tty;
    return true;
}

/* --- ssh ---------------------------------------------------------------------------------------
 */

bool sek_origin_ssh(const char *text, char *out, size_t size)
{
    char word[SEK_ADDR_TEXT_MAX + 16];
    struct sek_addr addr;
    size_t n = strcspn(text, " ");
    if (n == 0 || n >= sizeof word)
        return false;
    memcpy(word, text, n);
    word[n] = '\0';
    word[strcspn(word, "%")] = '\0'; /* the zone of a link-local address */
    if (sek_addr_from_text(word, &addr, NULL))
        return false;
    snprintf(out, size, "%s", sek_addr_to_text(&addr, word));
    return true;
}

/* text: variables, each ended by a NUL. */
static void ssh_of_environ(const char *text, size_t len, char *out, size_t size)
{
    static const char *const names[] = {"SSH_CONNECTION=", "SSH_CLIENT="};
    for (size_t at = 0; at < len; at += strlen(text + at) + 1)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strncmp(text + at, names[i], strlen(names[i])) == 0 &&
                sek_origin_ssh(text + at + strlen(names[i]), out, size))
                return;
}

static void ssh_of_process(pid_t pid, char *out, size_t size)
{
    char path[64];
    struct sek_buf text;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    sek_buf_init(&text, ENVIRON_MAX);
    if (sek_file_read(fd, &text, NULL) == SEK_OK && text.len)
        ssh_of_environ(text.data, text.len, out, size);
    sek_buf_fini(&text);
    close(fd);
}

/* Of this process and those above it the outermost: it overwrites the others. */
static void read_session(char *tty, size_t tty_size, char *ssh, size_t ssh_size)
{
    pid_t pid = getpid(), parent = 0;
    unsigned device = 0, of_parent;
    *ssh = '\0';
    if (!read_stat(pid, &parent, &device))
        device = 0;
    sek_origin_tty(device, tty, tty_size);
    ssh_of_process(pid, ssh, ssh_size);
    for (int i = 0; i < ANCESTORS_MAX && parent > 1; i++) {
        pid = parent;
        ssh_of_process(pid, ssh, ssh_size);
        if (!read_stat(pid, &parent, &of_parent))
            break;
    }
}

static void add(char *out, size_t size, const char *text)
{
    size_t n = strlen(out);
    snprintf(out + n, size - n, "%s%s", n ? ", " : "", text);
}

static void add_user(struct sek_origin *o, uid_t own, uid_t login, uid_t sudo)
{
    char name[64], text[160];
    if (!name_of_uid(own, name, sizeof name))
        snprintf(name, sizeof name, "uid %u", (unsigned)own);
    if (o->uid != own) {
        snprintf(text, sizeof text, "as %s%s", name, sudo != NO_UID ? " by sudo" : "");
        add(o->from, sizeof o->from, text);
    }
    if (login != NO_UID && sudo != NO_UID && login != sudo) {
        snprintf(text, sizeof text, "SUDO_UID says %u", (unsigned)sudo);
        add(o->from, sizeof o->from, text);
    }
}

void sek_origin_read(struct sek_origin *out)
{
    char tty[40], ssh[SEK_ADDR_TEXT_MAX + 8], text[SEK_ADDR_TEXT_MAX + 16];
    uid_t own = getuid(), login = login_uid();
    uid_t sudo = own == 0 ? read_uid(getenv("SUDO_UID")) : NO_UID;
    *out = (struct sek_origin){.uid = sek_origin_user(own, login, sudo)};
    if (!name_of_uid(out->uid, out->user, sizeof out->user))
        snprintf(out->user, sizeof out->user, "uid %u", (unsigned)out->uid);
    read_session(tty, sizeof tty, ssh, sizeof ssh);
    add(out->from, sizeof out->from, *tty ? tty : "no terminal");
    if (*ssh) {
        snprintf(text, sizeof text, "ssh %s", ssh);
        add(out->from, sizeof out->from, text);
    }
    add_user(out, own, login, sudo);
}

/* --- command line ------------------------------------------------------------------------------
 */

static void add_escaped(struct sek_buf *out, const char *word)
{
    sek_buf_add_text(out, "$'");
    for (size_t n = strlen(word), len; n; word += len, n -= len) {
        uint32_t c = 0;
        len = sek_utf8_next(word, n, &c);
        if (len && !sek_utf8_is_deceptive(c) && c != '\'' && c != '\\') {
            sek_buf_add(out, word, len);
            continue;
        }
        if (!len)
            len = 1;
        for (size_t i = 0; i < len; i++)
            sek_buf_add_fmt(out, "\\x%02x", (unsigned char)word[i]);
    }
    sek_buf_add_text(out, "'");
}

static bool is_clean(const char *word)
{
    for (size_t n = strlen(word), len; n; word += len, n -= len) {
        uint32_t c = 0;
        len = sek_utf8_next(word, n, &c);
        if (!len || sek_utf8_is_deceptive(c) || c == '\'')
            return false;
    }
    return true;
}

void sek_origin_command(char *const *argv, int argc, struct sek_buf *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:=@%+,";
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *slash = i == 0 ? strrchr(word, '/') : NULL;
        if (slash)
            word = slash + 1; /* the program: where it lies tells nothing */
        if (out->len > COMMAND_MAX) {
            sek_buf_add_fmt(out, " … (%d more)", argc - i);
            return;
        }
        if (i)
            sek_buf_add_text(out, " ");
        if (*word && strspn(word, plain) == strlen(word))
            sek_buf_add_text(out, word);
        else if (is_clean(word))
            sek_buf_add_fmt(out, "'%s'", word);
        else
            add_escaped(out, word);
    }
}
