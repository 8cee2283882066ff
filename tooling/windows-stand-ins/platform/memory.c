/* Guest-physical memory: what is mapped, and which pages were written. */
#include "stand-in.h"
#include <stdlib.h>
#include <string.h>

static Range *range_at(Partition *partition, UINT64 gpa) {
  for (int i = 0; i < MAX_RANGES; i++) {
    Range *range = &partition->ranges[i];
    if (range->source && gpa >= range->gpa && gpa - range->gpa < range->size) return range;
  }
  return NULL;
}

UINT8 *memory_at(Partition *partition, UINT64 gpa, UINT32 *flags) {
  Range *range = range_at(partition, gpa);
  if (flags) *flags = range ? range->flags : 0;
  return range ? range->source + (gpa - range->gpa) : NULL;
}

void mark_dirty(Partition *partition, UINT64 gpa) {
  Range *range = range_at(partition, gpa);
  if (range && range->dirty) range->dirty[(gpa - range->gpa) / PAGE] = 1;
}

static void release_range(Range *range) {
  free(range->dirty);
  memset(range, 0, sizeof *range);
  counted(COUNT_RANGES, -1);
}

void release_ranges(Partition *partition) {
  for (int i = 0; i < MAX_RANGES; i++) if (partition->ranges[i].source) release_range(&partition->ranges[i]);
}

static HRESULT add_range(Partition *partition, UINT64 gpa, UINT64 size, UINT8 *source, UINT32 flags) {
  for (int i = 0; i < MAX_RANGES; i++) {
    Range *range = &partition->ranges[i];
    if (range->source) continue;
    range->gpa = gpa;
    range->size = size;
    range->source = source;
    range->flags = flags;
    range->dirty = flags & WHvMapGpaRangeFlagTrackDirtyPages ? calloc(size / PAGE, 1) : NULL;
    counted(COUNT_RANGES, 1);
    return S_OK;
  }
  return E_OUTOFMEMORY;
}

/* Takes [gpa, gpa + size) out of what is mapped, and keeps what is left at either side. */
static void cut(Partition *partition, UINT64 gpa, UINT64 size) {
  kvm_forget_memory(partition);
  for (int i = 0; i < MAX_RANGES; i++) {
    Range old = partition->ranges[i];
    if (!old.source || old.gpa >= gpa + size || old.gpa + old.size <= gpa) continue;
    release_range(&partition->ranges[i]);
    if (old.gpa < gpa) add_range(partition, old.gpa, gpa - old.gpa, old.source, old.flags);
    if (old.gpa + old.size > gpa + size) add_range(partition, gpa + size, old.gpa + old.size - gpa - size, old.source + (gpa + size - old.gpa), old.flags);
  }
}

static HRESULT map(const char *function, WHV_PARTITION_HANDLE handle, VOID *source, UINT64 gpa, UINT64 size, UINT32 flags, int own) {
  Partition *partition = partition_of(function, handle);
  MEMORY_BASIC_INFORMATION information;
  if (!partition) return E_INVALIDARG;
  if (!partition->setup) return E_WHV_INVALID_PARTITION_CONFIG;
  if (!ALIGNED(source, PAGE) || gpa % PAGE || size % PAGE || size == 0 || gpa + size < gpa) return E_INVALIDARG;
  if (flags & ~0xfu || !(flags & 7)) return E_INVALIDARG;
  for (UINT64 at = 0; own && at < size; at += information.RegionSize - ((UINT64)source + at - (UINT64)information.BaseAddress)) {
    if (!VirtualQuery((UINT8 *)source + at, &information, sizeof information) || information.State != MEM_COMMIT) {
      violation(function, "%p + 0x%llx is not memory of the process", source, at);
      return E_INVALIDARG;
    }
  }
  cut(partition, gpa, size);
  return add_range(partition, gpa, size, source, flags);
}

HRESULT WINAPI WHvMapGpaRange(WHV_PARTITION_HANDLE handle, VOID *source, WHV_GUEST_PHYSICAL_ADDRESS gpa, UINT64 size, WHV_MAP_GPA_RANGE_FLAGS flags) {
  BEGIN
  END(map(__func__, handle, source, gpa, size, flags, 1));
}

HRESULT WINAPI WHvMapGpaRange2(WHV_PARTITION_HANDLE handle, HANDLE process, VOID *source, WHV_GUEST_PHYSICAL_ADDRESS gpa, UINT64 size, WHV_MAP_GPA_RANGE_FLAGS flags) {
  BEGIN
  int own = process == GetCurrentProcess();
  if (!process) END(E_INVALIDARG);
  END(map(__func__, handle, source, gpa, size, flags, own));
}

HRESULT WINAPI WHvUnmapGpaRange(WHV_PARTITION_HANDLE handle, WHV_GUEST_PHYSICAL_ADDRESS gpa, UINT64 size) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  if (!partition || gpa % PAGE || size % PAGE || size == 0 || gpa + size < gpa) END(E_INVALIDARG);
  for (UINT64 at = gpa; at < gpa + size; at += PAGE) if (!range_at(partition, at)) END(E_WHV_GPA_RANGE_NOT_FOUND);
  cut(partition, gpa, size);
  END(S_OK);
}

HRESULT WINAPI WHvQueryGpaRangeDirtyBitmap(WHV_PARTITION_HANDLE handle, WHV_GUEST_PHYSICAL_ADDRESS gpa, UINT64 size, UINT64 *bitmap, UINT32 capacity) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  UINT64 pages = size / PAGE;
  if (!partition || gpa % PAGE || size % PAGE || size == 0) END(E_INVALIDARG);
  if (capacity != (pages + 63) / 64 * 8 || !ALIGNED(bitmap, 8)) { VIOLATION("a bitmap of %u bytes at %p for %llu pages", capacity, bitmap, pages); END(E_INVALIDARG); }
  memset(bitmap, 0, capacity);
  kvm_collect_dirty_pages(partition);
  for (UINT64 page = 0; page < pages; page++) {
    Range *range = range_at(partition, gpa + page * PAGE);
    if (!range || !range->dirty) END(E_WHV_GPA_RANGE_NOT_FOUND);
    UINT8 *dirty = &range->dirty[(gpa + page * PAGE - range->gpa) / PAGE];
    if (*dirty) bitmap[page / 64] |= 1ull << page % 64;
    *dirty = 0;
  }
  END(S_OK);
}

HRESULT WINAPI WHvAdviseGpaRange(WHV_PARTITION_HANDLE handle, const WHV_MEMORY_RANGE_ENTRY *ranges, UINT32 count, WHV_ADVISE_GPA_RANGE_CODE advice, const VOID *buffer, UINT32 size) {
  BEGIN
  Partition *partition = partition_of(__func__, handle);
  int populate = advice == WHvAdviseGpaRangeCodePopulate;
  if (!partition || count == 0) END(E_INVALIDARG);
  if (populate ? !buffer || size != sizeof(WHV_ADVISE_GPA_RANGE_POPULATE) : buffer || size) { VIOLATION("advice %d with a buffer of %u bytes", advice, size); END(E_INVALIDARG); }
  if (populate && ((const WHV_ADVISE_GPA_RANGE_POPULATE *)buffer)->Flags.Reserved) VIOLATION("reserved flags are set");
  for (UINT32 i = 0; i < count; i++) {
    if (ranges[i].GuestAddress % PAGE || ranges[i].SizeInBytes % PAGE) END(E_INVALIDARG);
    if (!range_at(partition, ranges[i].GuestAddress)) END(E_WHV_GPA_RANGE_NOT_FOUND);
  }
  END(S_OK);
}

static HRESULT access(const char *function, WHV_PARTITION_HANDLE handle, UINT32 index, UINT64 gpa, WHV_ACCESS_GPA_CONTROLS controls, void *data, UINT32 size, int write) {
  Partition *partition = partition_of(function, handle);
  if (!partition) return E_INVALIDARG;
  if (!processor_of(function, partition, index)) return E_WHV_VP_DOES_NOT_EXIST;
  if (controls.Reserved) violation(function, "reserved bits of the controls are set");
  if (controls.CacheType != WHvCacheTypeWriteBack && controls.CacheType != WHvCacheTypeUncached) return E_INVALIDARG;
  if (size == 0 || size > 16) return E_INVALIDARG;
  UINT8 *memory = memory_at(partition, gpa, NULL);
  if (!memory || !memory_at(partition, gpa + size - 1, NULL)) return E_WHV_GPA_RANGE_NOT_FOUND;
  if (write) memcpy(memory, data, size);
  else memcpy(data, memory, size);
  return S_OK;
}

HRESULT WINAPI WHvReadGpaRange(WHV_PARTITION_HANDLE handle, UINT32 index, WHV_GUEST_PHYSICAL_ADDRESS gpa, WHV_ACCESS_GPA_CONTROLS controls, PVOID data, UINT32 size) {
  BEGIN
  END(access(__func__, handle, index, gpa, controls, data, size, 0));
}

HRESULT WINAPI WHvWriteGpaRange(WHV_PARTITION_HANDLE handle, UINT32 index, WHV_GUEST_PHYSICAL_ADDRESS gpa, WHV_ACCESS_GPA_CONTROLS controls, const VOID *data, UINT32 size) {
  BEGIN
  END(access(__func__, handle, index, gpa, controls, (void *)data, size, 1));
}
