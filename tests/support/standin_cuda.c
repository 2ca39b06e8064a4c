/* A stand-in for the few calls of libcuda that windows of memory need.

   Host memory plays the device's: an allocation is a memfd, its handle the
   memfd's number in a table, a mapping a mmap. Misuse is an error, as the
   driver's own: a second unmap, a wrong size, a handle that is gone, an
   access that was never granted. `standin_live` counts what is not undone. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define GRANULE (2UL << 20)
#define MOST 64
#define INVALID 1
#define OUT_OF_MEMORY 2
#define NOT_INITIALISED 3

typedef struct { int type, id; } location;
typedef struct {
  int type, handle_types;
  location place;
  void *win32;
  unsigned char flags[8];
} properties;
typedef struct { location place; int flags; } access_desc;

static struct { int used, fd; size_t size; } allocations[MOST];
static struct { uint64_t at; size_t size; int mapped; } ranges[MOST];
static int ready;

int standin_live(void) {
  int live = 0;
  for (int i = 0; i < MOST; i++) {
    live += allocations[i].used + (ranges[i].at != 0) + ranges[i].mapped;
  }
  return live;
}

int cuInit(unsigned flags) { ready = flags == 0; return ready ? 0 : INVALID; }

int cuDeviceGet(int *device, int ordinal) {
  if (!ready) return NOT_INITIALISED;
  *device = 0;
  return ordinal == 0 ? 0 : INVALID;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
  *context = &ready;
  return ready && device == 0 ? 0 : INVALID;
}

int cuCtxSetCurrent(void *context) { return context == &ready ? 0 : INVALID; }

int cuMemGetAllocationGranularity(size_t *size, properties *p, int option) {
  if (p->type != 1 || p->place.type != 1 || option != 0) return INVALID;
  *size = GRANULE;
  return 0;
}

int cuMemGetInfo_v2(size_t *free, size_t *total) {
  if (!ready) return NOT_INITIALISED;
  *free = *total = 64UL << 30;
  for (int i = 0; i < MOST; i++)
    if (allocations[i].used) *free -= allocations[i].size;
  return 0;
}

static int keep(int fd, size_t size, uint64_t *handle) {
  for (int i = 0; i < MOST; i++) {
    if (!allocations[i].used) {
      allocations[i].used = 1;
      allocations[i].fd = fd;
      allocations[i].size = size;
      *handle = i + 1;
      return 0;
    }
  }
  close(fd);
  return OUT_OF_MEMORY;
}

int cuMemCreate(uint64_t *handle, size_t size, properties *p, uint64_t flags) {
  if (!ready) return NOT_INITIALISED;
  if (size == 0 || size % GRANULE || flags || p->handle_types != 1)
    return INVALID;
  if (size > (16UL << 30)) return OUT_OF_MEMORY;
  int fd = memfd_create("standin", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, size)) return OUT_OF_MEMORY;
  return keep(fd, size, handle);
}

static int find(uint64_t handle) {
  int i = (int)handle - 1;
  return i >= 0 && i < MOST && allocations[i].used ? i : -1;
}

int cuMemExportToShareableHandle(int *fd, uint64_t handle, int type,
                                 uint64_t flags) {
  int i = find(handle);
  if (i < 0 || type != 1 || flags) return INVALID;
  *fd = dup(allocations[i].fd);
  return *fd < 0 ? OUT_OF_MEMORY : 0;
}

int cuMemImportFromShareableHandle(uint64_t *handle, void *os, int type) {
  struct stat found;
  int fd = (int)(intptr_t)os;
  if (!ready) return NOT_INITIALISED;
  if (type != 1 || fstat(fd, &found)) return INVALID;
  if (found.st_size == 0 || found.st_size % GRANULE) return INVALID;
  return keep(dup(fd), found.st_size, handle);
}

int cuMemAddressReserve(uint64_t *at, size_t size, size_t align,
                        uint64_t wish, uint64_t flags) {
  if (size == 0 || size % GRANULE || align || wish || flags) return INVALID;
  for (int i = 0; i < MOST; i++) {
    if (!ranges[i].at) {
      void *p = mmap(0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (p == MAP_FAILED) return OUT_OF_MEMORY;
      ranges[i].at = (uint64_t)p;
      ranges[i].size = size;
      *at = ranges[i].at;
      return 0;
    }
  }
  return OUT_OF_MEMORY;
}

static int range_at(uint64_t at, size_t size) {
  for (int i = 0; i < MOST; i++)
    if (ranges[i].at && ranges[i].at == at && ranges[i].size == size) return i;
  return -1;
}

int cuMemMap(uint64_t at, size_t size, size_t offset, uint64_t handle,
             uint64_t flags) {
  int range = range_at(at, size), i = find(handle);
  if (range < 0 || i < 0 || offset || flags) return INVALID;
  if (ranges[range].mapped || allocations[i].size != size) return INVALID;
  if (mmap((void *)at, size, PROT_NONE, MAP_SHARED | MAP_FIXED,
           allocations[i].fd, 0) == MAP_FAILED)
    return INVALID;
  ranges[range].mapped = 1;
  return 0;
}

int cuMemSetAccess(uint64_t at, size_t size, access_desc *wanted, size_t count) {
  int range = range_at(at, size);
  if (range < 0 || !ranges[range].mapped || count != 1) return INVALID;
  if (wanted->flags != 1 && wanted->flags != 3) return INVALID;
  int rights = wanted->flags == 3 ? PROT_READ | PROT_WRITE : PROT_READ;
  return mprotect((void *)at, size, rights) ? INVALID : 0;
}

int cuMemUnmap(uint64_t at, size_t size) {
  int range = range_at(at, size);
  if (range < 0 || !ranges[range].mapped) return INVALID;
  ranges[range].mapped = 0;
  void *p = mmap((void *)at, size, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return p == MAP_FAILED ? INVALID : 0;
}

int cuMemAddressFree(uint64_t at, size_t size) {
  int range = range_at(at, size);
  if (range < 0 || ranges[range].mapped) return INVALID;
  ranges[range].at = 0;
  return munmap((void *)at, size) ? INVALID : 0;
}

int cuMemRelease(uint64_t handle) {
  int i = find(handle);
  if (i < 0) return INVALID;
  allocations[i].used = 0;
  return close(allocations[i].fd) ? INVALID : 0;
}

int cuPointerGetAttribute(unsigned *found, int attribute, uint64_t at) {
  if (attribute != 2) return INVALID;
  for (int i = 0; i < MOST; i++) {
    if (ranges[i].mapped && at >= ranges[i].at
        && at < ranges[i].at + ranges[i].size) {
      *found = 1; /* CU_MEMORYTYPE_HOST */
      return 0;
    }
  }
  return INVALID;
}

int cuGetErrorString(int code, const char **text) {
  *text = code == OUT_OF_MEMORY ? "out of memory"
        : code == NOT_INITIALISED ? "initialization error"
                                  : "invalid argument";
  return 0;
}

/* A kernel of the stand-in runs where it is launched: so must its wait. */
int cuStreamWaitValue32_v2(void *stream, uint64_t at, unsigned value,
                           unsigned flags) {
  if (stream != 0 || flags != 0 || at % 4) return INVALID;
  while ((int)(*(volatile unsigned *)at - value) < 0) usleep(100);
  return 0;
}

int cuStreamWriteValue32_v2(void *stream, uint64_t at, unsigned value,
                            unsigned flags) {
  if (stream != 0 || flags != 0 || at % 4) return INVALID;
  *(volatile unsigned *)at = value;
  return 0;
}
