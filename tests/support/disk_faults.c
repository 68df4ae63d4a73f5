/* Fails or kills a process at a chosen file operation: loaded before libc, armed by the process.

   Only operations on paths below the given prefixes count, and on descriptors opened there, so
   that the interpreter's own files stay out of it. What was done is written to a journal that
   the parent process shares, and that outlives a kill. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum op { OPEN, READ, WRITE, SYNC, RENAME, MKDIR, UNLINK, STAT, LIST, CLOSE, TRUNCATE, COPY, MAP, OPS };
enum mode { OBSERVE, FAIL, FAIL_ALWAYS, KILL_BEFORE, KILL_WITHIN };

#define JOURNAL_ENTRIES 65536
#define DESCRIPTORS 4096

struct journal {
    _Atomic uint32_t done;
    _Atomic uint32_t hits;
    uint8_t operations[JOURNAL_ENTRIES];
};

static struct journal *journal;
static const char *prefixes; /* separated by newlines, ended by two NULs */
static int wanted_op, wanted_mode, wanted_errno;
static uint32_t wanted_number;
static _Atomic uint32_t counted;
static _Atomic unsigned char watched[DESCRIPTORS];

/* Children must not inherit this library: the resolver is another program. */
__attribute__((constructor)) static void leave_no_trace(void) { unsetenv("LD_PRELOAD"); }

/* Arms the library in this process. `op` is OPS for any; the `number`th matching one is hit. */
void disk_faults_arm(struct journal *shared, const char *watched_prefixes, int op, int mode,
                     uint32_t number, int error) {
    prefixes = strdup(watched_prefixes);
    wanted_op = op;
    wanted_mode = mode;
    wanted_number = number;
    wanted_errno = error;
    journal = shared;
}

static int below(const char *path) {
    char whole[8192];
    if (!journal || !path) return 0;
    if (path[0] != '/') {
        if (!getcwd(whole, 4096)) return 0;
        size_t length = strlen(whole);
        if (length + strlen(path) + 2 > sizeof whole) return 0;
        whole[length] = '/';
        strcpy(whole + length + 1, path);
        path = whole;
    }
    for (const char *prefix = prefixes; *prefix;) {
        size_t length = strcspn(prefix, "\n");
        if (!strncmp(path, prefix, length)) return 1;
        prefix += length + (prefix[length] == '\n');
    }
    return 0;
}

static int below_at(int folder, const char *path) {
    if (!journal || !path) return 0;
    if (path[0] == '/' || folder == AT_FDCWD) return below(path);
    return folder >= 0 && folder < DESCRIPTORS && watched[folder];
}

static int is_watched(int descriptor) {
    return journal && descriptor >= 0 && descriptor < DESCRIPTORS && watched[descriptor];
}

static void watch(int descriptor, int yes) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) watched[descriptor] = (unsigned char)yes;
}

static void die(void) {
    raise(SIGKILL);
    for (;;) pause();
}

/* Counts one operation. Returns 1 when it must fail (errno is set), -1 when it is the last. */
static int reached(enum op op) {
    uint32_t place = atomic_fetch_add(&journal->done, 1);
    if (place < JOURNAL_ENTRIES) journal->operations[place] = (uint8_t)op;
    if (wanted_mode == OBSERVE || (wanted_op != OPS && wanted_op != (int)op)) return 0;
    uint32_t number = atomic_fetch_add(&counted, 1) + 1;
    if (number < wanted_number || (number > wanted_number && wanted_mode != FAIL_ALWAYS)) return 0;
    atomic_fetch_add(&journal->hits, 1);
    if (wanted_mode == KILL_BEFORE) die();
    if (wanted_mode == KILL_WITHIN) return -1;
    errno = wanted_errno;
    return 1;
}

/* Defines a wrapper: `inside` tells whether it counts, `call` is the real one. */
#define WRAP(type, failure, op, name, parameters, inside, arguments)                    \
    type name parameters {                                                              \
        static type(*next) parameters;                                                  \
        if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name);                  \
        if (!(inside)) return next arguments;                                           \
        int verdict = reached(op);                                                      \
        if (verdict > 0) return failure;                                                \
        type result = next arguments;                                                   \
        if (verdict < 0) die();                                                         \
        return result;                                                                  \
    }

#define WRAP_OPEN(name)                                                                 \
    int name(const char *path, int flags, ...) {                                        \
        static int (*next)(const char *, int, ...);                                     \
        if (!next) next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);     \
        va_list rest;                                                                   \
        va_start(rest, flags);                                                          \
        mode_t mode = va_arg(rest, mode_t);                                             \
        va_end(rest);                                                                   \
        int inside = below(path);                                                       \
        int verdict = inside ? reached(OPEN) : 0;                                       \
        if (verdict > 0) return -1;                                                     \
        int descriptor = next(path, flags, mode);                                       \
        if (verdict < 0) die();                                                         \
        watch(descriptor, inside);                                                      \
        return descriptor;                                                              \
    }
WRAP_OPEN(open)
WRAP_OPEN(open64)

#define WRAP_OPENAT(name)                                                               \
    int name(int folder, const char *path, int flags, ...) {                            \
        static int (*next)(int, const char *, int, ...);                                \
        if (!next) next = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        va_list rest;                                                                   \
        va_start(rest, flags);                                                          \
        mode_t mode = va_arg(rest, mode_t);                                             \
        va_end(rest);                                                                   \
        int inside = below_at(folder, path);                                            \
        int verdict = inside ? reached(OPEN) : 0;                                       \
        if (verdict > 0) return -1;                                                     \
        int descriptor = next(folder, path, flags, mode);                               \
        if (verdict < 0) die();                                                         \
        watch(descriptor, inside);                                                      \
        return descriptor;                                                              \
    }
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

/* A write that is cut by a kill leaves half of its bytes. */
#define WRAP_WRITE(name, parameters, descriptor, half, arguments)                       \
    ssize_t name parameters {                                                           \
        static ssize_t(*next) parameters;                                               \
        if (!next) next = (ssize_t(*) parameters)dlsym(RTLD_NEXT, #name);               \
        if (!is_watched(descriptor)) return next arguments;                             \
        int verdict = reached(WRITE);                                                   \
        if (verdict > 0) return -1;                                                     \
        if (verdict < 0) {                                                              \
            (void)!next half;                                                           \
            die();                                                                      \
        }                                                                               \
        return next arguments;                                                          \
    }
WRAP_WRITE(write, (int fd, const void *data, size_t count), fd, (fd, data, count / 2),
           (fd, data, count))
WRAP_WRITE(pwrite64, (int fd, const void *data, size_t count, off64_t at), fd,
           (fd, data, count / 2, at), (fd, data, count, at))

WRAP(ssize_t, -1, READ, read, (int fd, void *data, size_t count), is_watched(fd),
     (fd, data, count))
WRAP(ssize_t, -1, READ, pread64, (int fd, void *data, size_t count, off64_t at), is_watched(fd),
     (fd, data, count, at))
WRAP(int, -1, SYNC, fsync, (int fd), is_watched(fd), (fd))
WRAP(int, -1, SYNC, fdatasync, (int fd), is_watched(fd), (fd))
WRAP(int, -1, TRUNCATE, ftruncate64, (int fd, off64_t length), is_watched(fd), (fd, length))
WRAP(int, -1, RENAME, rename, (const char *from, const char *to), below(from) || below(to),
     (from, to))
WRAP(int, -1, RENAME, renameat, (int a, const char *from, int b, const char *to),
     below_at(a, from) || below_at(b, to), (a, from, b, to))
WRAP(int, -1, RENAME, link, (const char *from, const char *to), below(from) || below(to),
     (from, to))
WRAP(int, -1, MKDIR, mkdir, (const char *path, mode_t mode), below(path), (path, mode))
WRAP(int, -1, UNLINK, unlink, (const char *path), below(path), (path))
WRAP(int, -1, UNLINK, unlinkat, (int folder, const char *path, int flags),
     below_at(folder, path), (folder, path, flags))
WRAP(int, -1, UNLINK, rmdir, (const char *path), below(path), (path))
WRAP(int, -1, STAT, stat64, (const char *path, struct stat64 *found), below(path), (path, found))
WRAP(int, -1, STAT, lstat64, (const char *path, struct stat64 *found), below(path), (path, found))
WRAP(int, -1, STAT, fstatat64, (int folder, const char *path, struct stat64 *found, int flags),
     below_at(folder, path), (folder, path, found, flags))
WRAP(int, -1, STAT, fstat64, (int fd, struct stat64 *found), is_watched(fd), (fd, found))
WRAP(ssize_t, -1, COPY, copy_file_range,
     (int from, off_t *at, int to, off_t *there, size_t count, unsigned flags), is_watched(to),
     (from, at, to, there, count, flags))
WRAP(void *, MAP_FAILED, MAP, mmap64,
     (void *address, size_t length, int protection, int flags, int fd, off_t offset),
     is_watched(fd), (address, length, protection, flags, fd, offset))
WRAP(DIR *, NULL, LIST, opendir, (const char *path), below(path), (path))

/* From here on the folder's descriptor is closed by closedir, which nobody sees. */
DIR *fdopendir(int fd) {
    static DIR *(*next)(int);
    if (!next) next = (DIR * (*)(int)) dlsym(RTLD_NEXT, "fdopendir");
    int verdict = is_watched(fd) ? reached(LIST) : 0;
    if (verdict > 0) return NULL;
    DIR *result = next(fd);
    if (verdict < 0) die();
    if (result) watch(fd, 0);
    return result;
}

/* Unlike the others it answers with the error itself. */
int posix_fallocate64(int fd, off_t offset, off_t length) {
    static int (*next)(int, off_t, off_t);
    if (!next) next = (int (*)(int, off_t, off_t))dlsym(RTLD_NEXT, "posix_fallocate64");
    int verdict = is_watched(fd) ? reached(TRUNCATE) : 0;
    if (verdict > 0) return wanted_errno;
    int result = next(fd, offset, length);
    if (verdict < 0) die();
    return result;
}

int close(int descriptor) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "close");
    int verdict = is_watched(descriptor) ? reached(CLOSE) : 0;
    watch(descriptor, 0);
    int result = next(descriptor); /* Linux closes it whatever the answer is */
    if (verdict > 0) {
        errno = wanted_errno;
        return -1;
    }
    if (verdict < 0) die();
    return result;
}
