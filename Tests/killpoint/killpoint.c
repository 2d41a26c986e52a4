// Loaded before the C library (LD_PRELOAD) into a keyturn that knows nothing of it: names every durable step of the whole
// process by what it does to which file, writes the names down, and kills the process, or breaks the step, where a test says.
//
//   KILLPOINT_FOLDER  the host's folder: files elsewhere, and those of its output/, are nobody's business
//   KILLPOINT_RECORD  a file that gets a line a step, and "# " with each line that the process says on stderr
//   KILLPOINT_STEP    the step's name, as the record has it
//   KILLPOINT_TIMES   at its how-manyeth time in this process, from 1
//   KILLPOINT_SIDE    before, after: the process dies there by SIGKILL. broken: the step answers EIO, this time and from then on
//
// Steps: "write FILE" (the first of several in a row), "reserve", "truncate", "sync", "sync folder", "rename to", "link to",
// "remove", "make folder", and, where the gateway is told to create or to revoke, "send create", "hear create", "send revoke",
// "hear revoke". What chance or the calendar puts into a file's name is a * in the step's.

#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONGEST 512
#define MOST_DESCRIPTORS 4096

static const char *folder, *wanted, *side;
static size_t folder_length;
static long wanted_times = 1, times;
static int record = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char last[LONGEST];
// What was asked of the gateway on this socket: nothing, 'c'reate or 'r'evoke.
static _Atomic char asked[MOST_DESCRIPTORS];

__attribute__((constructor)) static void start(void) {
    folder = getenv("KILLPOINT_FOLDER");
    folder_length = folder ? strlen(folder) : 0;
    wanted = getenv("KILLPOINT_STEP");
    side = getenv("KILLPOINT_SIDE");
    if (getenv("KILLPOINT_TIMES")) wanted_times = atol(getenv("KILLPOINT_TIMES"));
    const char *path = getenv("KILLPOINT_RECORD");
    if (path) record = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(const char *prefix, const char *text, size_t length) {
    char line[LONGEST];
    if (record < 0) return;
    int count = snprintf(line, sizeof line, "%s%.*s\n", prefix, (int)(length > 400 ? 400 : length), text);
    if (count > 0) syscall(SYS_write, record, line, (size_t)count);
}

static int digits(const char *text, int count) {
    for (int i = 0; i < count; i++) if (!isdigit((unsigned char)text[i])) return 0;
    return 1;
}

static int hexadecimals(const char *text, int count) {
    for (int i = 0; i < count; i++) if (!isxdigit((unsigned char)text[i])) return 0;
    return 1;
}

static int is_uuid(const char *text) {
    static const int parts[] = {8, 4, 4, 4, 12};
    for (int i = 0; i < 5; i++) {
        if (!hexadecimals(text, parts[i])) return 0;
        text += parts[i];
        if (i < 4 && *text++ != '-') return 0;
    }
    return 1;
}

// The file's name inside the folder, without what chance and calendar put into it; NULL for files that do not matter.
static const char *plain(const char *path, char *name) {
    if (!folder || strncmp(path, folder, folder_length) != 0 || path[folder_length] != '/') return NULL;
    const char *from = path + folder_length + 1;
    if (strncmp(from, "output/", 7) == 0) return NULL;
    size_t to = 0;
    while (*from && to < LONGEST - 64) {
        if (*from == '-' && digits(from + 1, 4) && from[5] == '-' && digits(from + 6, 2)) {
            memcpy(name + to, "-*", 2), to += 2, from += 8;
        } else if (strncmp(from, ".keyturn-", 9) == 0 && hexadecimals(from + 9, 8)) {
            memcpy(name + to, ".keyturn-*", 10), to += 10, from += 17;
        } else if (*from == '.' && is_uuid(from + 1)) {
            memcpy(name + to, ".*", 2), to += 2, from += 37;
        } else name[to++] = *from++;
    }
    name[to] = 0;
    // The memory that SQLite's processes share: made anew by whoever comes first.
    return strstr(name, "-shm") ? NULL : name;
}

static int is_folder(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

static const char *path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0 || path[0] != '/') return NULL;
    path[length] = 0;
    return path;
}

static const char *path_at(int base, const char *path, char *whole) {
    if (path[0] == '/' || base == AT_FDCWD) return path;
    char parent[PATH_MAX];
    if (!path_of(base, parent)) return NULL;
    snprintf(whole, PATH_MAX, "%.*s/%.*s", PATH_MAX / 2 - 2, parent, PATH_MAX / 2 - 2, path);
    return whole;
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

enum { PASSES, DIES_AFTER, BREAKS };

// A step is about to be done: noted, and judged. Dies here where that is wanted.
static int step(const char *what, const char *name) {
    char text[LONGEST];
    int fate = PASSES;
    if (!name) return PASSES;
    snprintf(text, sizeof text, "%s %s", what, name);
    int saved = errno;
    pthread_mutex_lock(&lock);
    int again = strncmp(text, "write ", 6) == 0 && strcmp(text, last) == 0;
    if (!again) {
        memcpy(last, text, sizeof last);
        note("", text, strlen(text));
    }
    if (wanted && side && strcmp(text, wanted) == 0) {
        if (!again) times++;
        if (strcmp(side, "broken") == 0) {
            if (times >= wanted_times) fate = BREAKS;
        } else if (!again && times == wanted_times) {
            if (strcmp(side, "before") == 0) die();
            fate = DIES_AFTER;
        }
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return fate;
}

static int step_on(const char *what, int descriptor) {
    char path[PATH_MAX], name[LONGEST];
    if (!folder) return PASSES;
    int saved = errno;
    const char *found = path_of(descriptor, path);
    errno = saved;
    return found ? step(what, plain(found, name)) : PASSES;
}

static int step_at(const char *what, int base, const char *path) {
    char whole[PATH_MAX], name[LONGEST];
    if (!folder) return PASSES;
    const char *found = path_at(base, path, whole);
    return found ? step(what, plain(found, name)) : PASSES;
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define PERFORM(fate, call) \
    do { \
        int fate_ = (fate); \
        if (fate_ == BREAKS) return errno = EIO, -1; \
        __auto_type result_ = (call); \
        if (fate_ == DIES_AFTER && result_ >= 0) die(); \
        return result_; \
    } while (0)

// MARK: Files

int fsync(int descriptor) {
    REAL(int, fsync, int);
    PERFORM(step_on(is_folder(descriptor) ? "sync folder" : "sync", descriptor), real(descriptor));
}

int fdatasync(int descriptor) {
    REAL(int, fdatasync, int);
    PERFORM(step_on(is_folder(descriptor) ? "sync folder" : "sync", descriptor), real(descriptor));
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    if (descriptor == STDERR_FILENO) note("# ", bytes, count && ((const char *)bytes)[count - 1] == '\n' ? count - 1 : count);
    struct stat status;
    if (!folder || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) return real(descriptor, bytes, count);
    PERFORM(step_on("write", descriptor), real(descriptor, bytes, count));
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    PERFORM(step_on("write", descriptor), real(descriptor, bytes, count, offset));
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    PERFORM(step_on("write", descriptor), real(descriptor, bytes, count, offset));
}

int ftruncate(int descriptor, off_t length) {
    REAL(int, ftruncate, int, off_t);
    PERFORM(step_on("truncate", descriptor), real(descriptor, length));
}

int ftruncate64(int descriptor, off64_t length) {
    REAL(int, ftruncate64, int, off64_t);
    PERFORM(step_on("truncate", descriptor), real(descriptor, length));
}

int posix_fallocate(int descriptor, off_t offset, off_t length) {
    REAL(int, posix_fallocate, int, off_t, off_t);
    int fate = step_on("reserve", descriptor);
    if (fate == BREAKS) return EIO;
    int result = real(descriptor, offset, length);
    if (fate == DIES_AFTER && result == 0) die();
    return result;
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    PERFORM(step_at("rename to", AT_FDCWD, to), real(from, to));
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    PERFORM(step_at("rename to", to_folder, to), real(from_folder, from, to_folder, to));
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags) {
    REAL(int, renameat2, int, const char *, int, const char *, unsigned int);
    PERFORM(step_at("rename to", to_folder, to), real(from_folder, from, to_folder, to, flags));
}

int link(const char *from, const char *to) {
    REAL(int, link, const char *, const char *);
    PERFORM(step_at("link to", AT_FDCWD, to), real(from, to));
}

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    // Removing what is not there changes nothing.
    if (access(path, F_OK) != 0) return real(path);
    PERFORM(step_at("remove", AT_FDCWD, path), real(path));
}

int unlinkat(int base, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    if (faccessat(base, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0) return real(base, path, flags);
    PERFORM(step_at("remove", base, path), real(base, path, flags));
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    if (access(path, F_OK) == 0) return real(path, mode);
    PERFORM(step_at("make folder", AT_FDCWD, path), real(path, mode));
}

// MARK: The gateway

static int begins(const void *bytes, size_t count, const char *text) {
    return count >= strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

static const char *name_of(char what) { return what == 'c' ? "create" : "revoke"; }

ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
    REAL(ssize_t, send, int, const void *, size_t, int);
    if (!folder || descriptor < 0 || descriptor >= MOST_DESCRIPTORS) return real(descriptor, bytes, count, flags);
    char what = begins(bytes, count, "POST /v1/api-keys ") ? 'c' : begins(bytes, count, "DELETE /v1/api-keys/") ? 'r' : 0;
    asked[descriptor] = what;
    if (!what) return real(descriptor, bytes, count, flags);
    PERFORM(step("send", name_of(what)), real(descriptor, bytes, count, flags));
}

ssize_t recv(int descriptor, void *bytes, size_t count, int flags) {
    REAL(ssize_t, recv, int, void *, size_t, int);
    char byte, what = descriptor >= 0 && descriptor < MOST_DESCRIPTORS ? asked[descriptor] : 0;
    // Only an answer that is there is heard.
    if (!folder || !what || flags & MSG_PEEK || real(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
        return real(descriptor, bytes, count, flags);
    }
    asked[descriptor] = 0;
    PERFORM(step("hear", name_of(what)), real(descriptor, bytes, count, flags));
}
