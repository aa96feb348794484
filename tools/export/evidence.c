/* SPDX-License-Identifier: BSD-3-Clause */
#include "evidence.h"
#include "base/file.h"
#include "tools/caller.h"
#include "tools/print/safe.h"
#include "tools/print/veil.h"
#include "tools/origin.h"
#include "transfer/digest.h"
#include "ustar.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/banned.h"

#define MESSAGES "messages.txt"
#define MANIFEST "MANIFEST.sha256"

static void remove_folder(struct sek_evidence *e);

static enum sek_err fail(struct sek_diag *diag, const char *what)
{
    int errnum = errno;
    return sek_diag_set(diag, sek_err_from_errno(errnum), "%.300s: %s", what,
                        strerrordesc_np(errnum));
}

/* --- interrupted -------------------------------------------------------------------------------
 */

static const int signals[3] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static void signals_take(struct sek_evidence *e)
{
    struct sigaction action = {.sa_handler = on_signal};
    interrupted = 0;
    for (unsigned i = 0; i < 3; i++) {
        sigaction(signals[i], NULL, &e->before[i]);
        if (e->before[i].sa_handler != SIG_IGN) /* as by nohup */
            sigaction(signals[i], &action, NULL);
    }
}

static void signals_give_back(const struct sek_evidence *e)
{
    for (unsigned i = 0; i < 3; i++)
        sigaction(signals[i], &e->before[i], NULL);
}

static enum sek_err go_on(struct sek_diag *diag)
{
    return interrupted
               ? sek_diag_set(diag, SEK_E_REFUSED, "interrupted: no evidence is left behind")
               : SEK_OK;
}

#define LEFT_S 60 /* a folder this old that nobody holds was left by a program that was killed */

/* path: as far as the six characters that mkdtemp makes up. */
static void remove_left(const char *folder)
{
    struct stat st;
    struct sek_evidence left = {.folder =
                                    open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    snprintf(left.tmp, sizeof left.tmp, "%s", folder);
    if (left.folder < 0)
        return;
    if (fstat(left.folder, &st) || st.st_uid != sek_caller_uid() ||
        st.st_mtime > time(NULL) - LEFT_S || flock(left.folder, LOCK_EX | LOCK_NB))
        close(left.folder);
    else
        remove_folder(&left);
}

static void remove_all_left(const char *path)
{
    char pattern[2 * sizeof((struct sek_evidence *)0)->path + 16];
    size_t n = 0;
    glob_t found;
    for (const char *p = path; *p; p++) {
        if (strchr("*?[\\", *p))
            pattern[n++] = '\\';
        pattern[n++] = *p;
    }
    snprintf(pattern + n, sizeof pattern - n, ".tmp.??????");
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        remove_left(found.gl_pathv[i]);
    globfree(&found);
}

/* --- files -------------------------------------------------------------------------------------
 */

static enum sek_err begin(struct sek_evidence *e, const char *path, const char *config,
                          int64_t time_s, struct sek_diag *diag)
{
    size_t len = strlen(path);
    struct stat st;
    *e = (struct sek_evidence){.folder = -1, .config = config, .time_s = time_s};
    sek_buf_init(&e->manifest, 0);
    sek_buf_init(&e->table, 0);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (len == 0 || len >= sizeof e->path - 16)
        return sek_diag_set(diag, SEK_E_INVALID, "\"%.100s\" is no path for evidence", path);
    snprintf(e->path, sizeof e->path, "%.*s", (int)len, path);
    e->is_tar = len > 4 && strcmp(e->path + len - 4, ".tar") == 0;
    if (lstat(e->path, &st) == 0)
        return sek_diag_set(diag, SEK_E_EXISTS,
                            "%.300s is there already; evidence is never written over", e->path);
    remove_all_left(e->path);
    snprintf(e->tmp, sizeof e->tmp, "%.*s.tmp.XXXXXX", (int)len, path);
    if (!mkdtemp(e->tmp)) {
        *e->tmp = '\0';
        return fail(diag, e->path);
    }
    signals_take(e);
    e->takes_signals = true;
    e->folder = open(e->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return e->folder < 0 || flock(e->folder, LOCK_EX | LOCK_NB) ? fail(diag, e->tmp) : SEK_OK;
}

/* Note the digest of a file that is complete; closes fd. */
static enum sek_err seal(struct sek_evidence *e, const char *file, int fd, struct sek_diag *diag)
{
    uint8_t digest[SEK_DIGEST_OCTETS];
    enum sek_err err = fsync(fd) ? fail(diag, file) : sek_digest_file(fd, digest, diag);
    close(fd);
    for (int i = 0; !err && i < SEK_DIGEST_OCTETS; i++)
        sek_buf_add_fmt(&e->manifest, "%02x", digest[i]);
    sek_buf_add_fmt(&e->manifest, "  %s\n", file);
    return err;
}

static int create(struct sek_evidence *e, const char *file)
{
    return openat(e->folder, file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static enum sek_err keep_text(struct sek_evidence *e, const char *file, const char *text,
                              size_t len, struct sek_diag *diag)
{
    int fd = create(e, file);
    if (fd < 0)
        return fail(diag, file);
    bool hidden = false;
    const char *shown = len ? sek_veil(SEK_VEIL_TEXT, text, &hidden) : text;
    enum sek_err err = sek_file_write(fd, shown, hidden ? strlen(shown) : len, diag);
    if (!err)
        return seal(e, file, fd, diag);
    close(fd);
    return sek_diag_wrap(diag, "%s: %s", e->path, file);
}

/* --- commands ----------------------------------------------------------------------------------
 */

/* In the child. */
static void become(struct sek_evidence *e, char *const *argv, int out)
{
    int err = openat(e->folder, MESSAGES, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sek_caller_end(); /* the command reads the databases, and minds the caller's rights itself */
    if (err < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(127);
    execv("/proc/self/exe", argv);
    _exit(127);
}

static enum sek_err run(struct sek_evidence *e, char *const *argv, int out, int *out_status,
                        struct sek_diag *diag)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return fail(diag, "cannot start a process");
    if (pid == 0)
        become(e, argv, out);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fail(diag, "cannot wait for a process");
    *out_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return SEK_OK;
}

/* The last line that a command said. */
static void last_words(int messages, char *out, size_t size)
{
    char text[1024];
    off_t end = lseek(messages, 0, SEEK_END);
    ssize_t n = pread(messages, text, sizeof text - 1, end > 1000 ? end - 1000 : 0);
    if (n > 0 && text[n - 1] == '\n')
        n--;
    text[n > 0 ? n : 0] = '\0';
    const char *line = strrchr(text, '\n');
    snprintf(out, size, "%.300s", line ? line + 1 : text);
}

/* A command that failed without a word could not write it, as on a full disk. */
static enum sek_err not_collected(struct sek_evidence *e, const char *file, int status,
                                  struct sek_diag *diag)
{
    char said[400] = "";
    int messages = openat(e->folder, MESSAGES, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    enum sek_err err = messages < 0 ? fail(diag, "messages") : SEK_OK;
    if (!err)
        last_words(messages, said, sizeof said);
    if (*said)
        err = sek_diag_set(diag, SEK_E_IO, "%s", said);
    else if (!err)
        err = sek_file_write(messages, "\n", 1, diag);
    if (!err)
        err = sek_diag_set(diag, SEK_E_IO, "exit status %d", status);
    if (messages >= 0)
        close(messages);
    return sek_diag_wrap(diag, "%s: %s could not be collected", e->path, file);
}

void sek_evidence_note(struct sek_evidence *e, const char *head, const char *text)
{
    sek_safe_add(&e->table, head);
    sek_buf_add_text(&e->table, "\n    ");
    sek_safe_add(&e->table, text);
    sek_buf_add_text(&e->table, "\n\n");
}

static void describe(struct sek_evidence *e, const char *file, const char *about,
                     const char *const *words, unsigned n_words, int status)
{
    struct sek_buf line;
    sek_buf_init(&line, 0);
    sek_origin_command((char *const *)(uintptr_t)words, (int)n_words, &line);
    sek_buf_add_fmt(&e->table, "%s\n    ", file);
    sek_safe_add(&e->table, about);
    sek_buf_add_fmt(&e->table, "\n    Made by: sekisho %s%s\n\n", line.data ? line.data : "",
                    status == 2   ? "\n    Nothing was found."
                    : status == 1 ? "\n    Its exit status was 1: see " MESSAGES "."
                                  : "");
    sek_buf_fini(&line);
}

/* Run the command, its output into fd. */
static enum sek_err run_words(struct sek_evidence *e, const char *const *words, unsigned *out_n,
                              int fd, int *out_status, struct sek_diag *diag)
{
    const char *argv[SEK_EVIDENCE_WORDS + 4] = {"sekisho", "--config", e->config};
    unsigned first = e->config ? 3 : 1, n = 0; /* of the words */
    argv[first] = NULL;
    for (; words[n] && n < SEK_EVIDENCE_WORDS; n++)
        argv[first + n] = words[n];
    *out_n = n;
    enum sek_err err = run(e, (char *const *)(uintptr_t)argv, fd, out_status, diag);
    return interrupted ? go_on(diag) : err;
}

static enum sek_err keep_run(struct sek_evidence *e, const char *file, const char *about,
                             bool may_fail, const char *const *words, struct sek_diag *diag)
{
    int status = 0;
    unsigned n;
    int fd = create(e, file);
    if (fd < 0)
        return fail(diag, file);
    enum sek_err err = run_words(e, words, &n, fd, &status, diag);
    if (!err && (status > 3 || (status == 1 && !may_fail)))
        err = not_collected(e, file, status, diag);
    if (err) {
        close(fd);
        return err;
    }
    describe(e, file, about, words, n, status);
    return seal(e, file, fd, diag);
}

static enum sek_err keep_run_for_any(struct sek_evidence *e, const char *file, const char *about,
                                     const char *const *words, bool *out_kept,
                                     struct sek_diag *diag)
{
    int status = 0;
    unsigned n;
    int fd = create(e, file);
    if (fd < 0)
        return fail(diag, file);
    enum sek_err err = run_words(e, words, &n, fd, &status, diag);
    if (!err && status > 3)
        err = not_collected(e, file, status, diag);
    *out_kept = !err && lseek(fd, 0, SEEK_END) > 0;
    if (!err && (*out_kept || status == 1))
        describe(e, *out_kept ? file : "(no file)", about, words, n, status);
    if (*out_kept)
        return seal(e, file, fd, diag);
    close(fd);
    return unlinkat(e->folder, file, 0) && !err ? fail(diag, file) : err;
}

/* --- the end -----------------------------------------------------------------------------------
 */

typedef enum sek_err entry_fn(struct sek_evidence *e, const char *name, void *arg,
                              struct sek_diag *diag);

static enum sek_err each_entry(struct sek_evidence *e, entry_fn *fn, void *arg,
                               struct sek_diag *diag)
{
    struct dirent **names;
    enum sek_err err = SEK_OK;
    int n = scandir(e->tmp, &names, NULL, alphasort);
    if (n < 0)
        return fail(diag, e->tmp);
    for (int i = 0; i < n; i++) {
        if (!err && *names[i]->d_name != '.')
            err = fn(e, names[i]->d_name, arg, diag);
        free(names[i]);
    }
    free(names);
    return err;
}

static enum sek_err add_to_tar(struct sek_evidence *e, const char *name, void *arg,
                               struct sek_diag *diag)
{
    const struct sek_file_new *tar = arg;
    int fd = openat(e->folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(diag, name);
    enum sek_err err = sek_ustar_add(tar, name, fd, e->time_s, diag);
    close(fd);
    return err;
}

static enum sek_err remove_entry(struct sek_evidence *e, const char *name, void *arg,
                                 struct sek_diag *diag)
{
    (void)arg;
    return unlinkat(e->folder, name, 0) ? fail(diag, name) : SEK_OK;
}

static enum sek_err make_tar(struct sek_evidence *e, struct sek_diag *diag)
{
    struct sek_file_new tar = {.fd = -1};
    enum sek_err err = sek_file_new_open(e->path, 0600, &tar, diag);
    if (!err)
        err = each_entry(e, add_to_tar, &tar, diag);
    if (!err)
        err = sek_ustar_end(&tar, diag);
    if (!err)
        err = sek_file_new_commit(&tar, diag);
    sek_file_new_abort(&tar);
    return err;
}

static enum sek_err end(struct sek_evidence *e, struct sek_diag *diag)
{
    enum sek_err err = go_on(diag);
    if (err)
        return err;
    int fd = openat(e->folder, MESSAGES, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    err = fd < 0 ? fail(diag, MESSAGES) : seal(e, MESSAGES, fd, diag);
    if (!err && e->manifest.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    if (!err) {
        fd = create(e, MANIFEST);
        err = fd < 0 ? fail(diag, MANIFEST)
                     : sek_file_write(fd, e->manifest.data, e->manifest.len, diag);
        if (fd >= 0 && (fsync(fd) || close(fd)) && !err)
            err = fail(diag, MANIFEST);
        if (err)
            sek_diag_wrap(diag, "%s", e->path);
    }
    if (!err && e->is_tar)
        return make_tar(e, diag); /* the folder goes with fini */
    if (!err &&
        (fsync(e->folder) || renameat2(AT_FDCWD, e->tmp, AT_FDCWD, e->path, RENAME_NOREPLACE)))
        err = fail(diag, e->path);
    if (!err)
        *e->tmp = '\0';
    return err;
}

/* Of `tmp`, if there is one. */
static void remove_folder(struct sek_evidence *e)
{
    if (e->folder >= 0) {
        if (*e->tmp)
            (void)each_entry(e, remove_entry, NULL, NULL);
        close(e->folder);
    }
    if (*e->tmp)
        (void)rmdir(e->tmp);
}

/* --- with the caller's rights: the folder is at a path of his choice ----------------------------
 */

enum sek_err sek_evidence_begin(struct sek_evidence *e, const char *path, const char *config,
                                int64_t time_s, struct sek_diag *diag)
{
    sek_caller_begin();
    enum sek_err err = begin(e, path, config, time_s, diag);
    sek_caller_end();
    return err;
}

enum sek_err sek_evidence_text(struct sek_evidence *e, const char *file, const char *text,
                               size_t len, struct sek_diag *diag)
{
    sek_caller_begin();
    enum sek_err err = keep_text(e, file, text, len, diag);
    sek_caller_end();
    return err;
}

enum sek_err sek_evidence_run(struct sek_evidence *e, const char *file, const char *about,
                              bool may_fail, const char *const *words, struct sek_diag *diag)
{
    sek_caller_begin();
    enum sek_err err = keep_run(e, file, about, may_fail, words, diag);
    sek_caller_end();
    return err;
}

enum sek_err sek_evidence_run_for_any(struct sek_evidence *e, const char *file, const char *about,
                                      const char *const *words, bool *out_kept,
                                      struct sek_diag *diag)
{
    sek_caller_begin();
    enum sek_err err = keep_run_for_any(e, file, about, words, out_kept, diag);
    sek_caller_end();
    return err;
}

enum sek_err sek_evidence_end(struct sek_evidence *e, struct sek_diag *diag)
{
    sek_caller_begin();
    enum sek_err err = end(e, diag);
    sek_caller_end();
    return err;
}

void sek_evidence_fini(struct sek_evidence *e)
{
    sek_caller_begin();
    remove_folder(e);
    sek_caller_end();
    if (e->takes_signals)
        signals_give_back(e);
    sek_buf_fini(&e->manifest);
    sek_buf_fini(&e->table);
}
