/* What the parts of the stand-in WinHvPlatform.dll share: its partitions, and the record of how it was used. The
 * prototypes are those of the Windows headers themselves; nothing here repeats one. */
#ifndef STAND_IN_H
#define STAND_IN_H

#include <windows.h>
#include <winhvplatform.h>

#define E_WHV_UNKNOWN_CAPABILITY ((HRESULT)0x80370300)
#define E_WHV_INSUFFICIENT_BUFFER ((HRESULT)0x80370301)
#define E_WHV_UNKNOWN_PROPERTY ((HRESULT)0x80370302)
#define E_WHV_INVALID_PARTITION_CONFIG ((HRESULT)0x80370304)
#define E_WHV_GPA_RANGE_NOT_FOUND ((HRESULT)0x80370305)
#define E_WHV_VP_ALREADY_EXISTS ((HRESULT)0x80370306)
#define E_WHV_VP_DOES_NOT_EXIST ((HRESULT)0x80370307)
#define E_WHV_INVALID_VP_STATE ((HRESULT)0x80370308)
#define E_WHV_INVALID_VP_REGISTER_NAME ((HRESULT)0x80370309)

enum {
  MAX_PARTITIONS = 64,
  MAX_PROCESSORS = 64,
  MAX_RANGES = 64,
  MAX_PROPERTIES = 64,
  MAX_REGISTERS = 512,
  MAX_EXITS = 64,
  MAX_SIGNALS = 16,
  MAX_BLOCKS = 8,
  PAGE = 4096
};

/* What StandInCount counts: everything that a host must give back. */
enum { COUNT_PARTITIONS, COUNT_PROCESSORS, COUNT_RANGES, COUNT_DOORBELLS, COUNT_PORTS, COUNT_TRIGGERS, COUNT_DEVICES, COUNT_MMIO, COUNTS };

typedef struct {
  UINT64 gpa, size;
  UINT8 *source;
  UINT32 flags;
  UINT8 *dirty; /* one byte a page, where dirty pages are tracked */
} Range;

typedef struct {
  UINT32 code, size;
  UINT8 bytes[256];
} Property;

typedef struct {
  UINT32 key, size;
  UINT8 *bytes;
} Block;

typedef struct {
  WHV_REGISTER_NAME names[MAX_REGISTERS];
  WHV_REGISTER_VALUE values[MAX_REGISTERS];
  UINT32 registers;
  WHV_RUN_VP_EXIT_CONTEXT exits[MAX_EXITS];
  UINT32 first_exit, exits_left;
  Block blocks[MAX_BLOCKS];
  HANDLE cancelled;
  volatile LONG running;
  struct Kvm *kvm;
} Processor;

typedef struct {
  int kind; /* one of COUNT_DOORBELLS, COUNT_PORTS, COUNT_TRIGGERS; 0 for none */
  UINT64 key;
  UINT8 match[64];
  UINT64 property;
  HANDLE event;
} Signal;

typedef struct {
  int live;
  UINT64 id;
  HANDLE notification;
  int mapped, notified;
  UINT8 registers[256];
  UINT32 power, vector;
  UINT32 processors[8], processor_count;
} Device;

typedef struct {
  int live, setup, suspended, migrating;
  UINT32 generation;
  Property properties[MAX_PROPERTIES];
  Range ranges[MAX_RANGES];
  Processor *processors[MAX_PROCESSORS];
  Signal signals[MAX_SIGNALS];
  Device device;
  WHV_INTERRUPT_CONTROL last_interrupt;
  struct Kvm *kvm;
} Partition;

/* record.c */
extern CRITICAL_SECTION lock;
/* Counts a call; answers whether the test wants it to fail, and how. */
int called(const char *function, HRESULT *failure);
/* The host did what the documentation forbids, or passed what no compiler would. */
void violation(const char *function, const char *format, ...);
void counted(int what, int change);
extern int hypervisor_hidden;
/* Holds the lock while a function of the API runs. */
#define BEGIN                                              \
  HRESULT result_ = S_OK;                                  \
  if (called(__func__, &result_)) return result_;          \
  EnterCriticalSection(&lock);
#define END(hresult)              \
  do {                            \
    result_ = (hresult);          \
    LeaveCriticalSection(&lock);  \
    return result_;               \
  } while (0)
#define VIOLATION(...) violation(__func__, __VA_ARGS__)
#define ALIGNED(pointer, bytes) (((UINT_PTR)(pointer) & ((bytes) - 1)) == 0)

/* partition.c */
Partition *partition_of(const char *function, WHV_PARTITION_HANDLE handle);
UINT64 property_value(Partition *partition, UINT32 code);
HRESULT copy_out(const char *function, const void *value, UINT32 size, void *buffer, UINT32 capacity, UINT32 *written);

/* memory.c */
UINT8 *memory_at(Partition *partition, UINT64 gpa, UINT32 *flags);
void mark_dirty(Partition *partition, UINT64 gpa);
void release_ranges(Partition *partition);

/* paging.c */
typedef struct {
  UINT64 cr0, cr3, cr4, efer;
  int user, ac;
} Paging;
/* With the flags of WHvTranslateGva. */
WHV_TRANSLATE_GVA_RESULT_CODE walk(Partition *partition, const Paging *paging, UINT64 gva, UINT32 flags, UINT64 *gpa);

/* processor.c */
Processor *processor_of(const char *function, Partition *partition, UINT32 index);
UINT64 register_of(Processor *processor, WHV_REGISTER_NAME name);
void set_register(Processor *processor, WHV_REGISTER_NAME name, UINT64 value);
WHV_REGISTER_VALUE *register_slot(Processor *processor, WHV_REGISTER_NAME name);
void power_up(Processor *processor, UINT32 index);
void release_processor(Partition *partition, UINT32 index);

/* signals.c, vpci.c */
void release_signals(Partition *partition);

/* register-values.c: whether a processor can have the value at all. */
int acceptable(WHV_REGISTER_NAME name, const WHV_REGISTER_VALUE *value);

/* run.c: the processor's context in an exit, from its registers. */
void fill_common(Processor *processor, WHV_RUN_VP_EXIT_CONTEXT *exit);
/* Whether runs are those of any guest, on KVM or where they are served; and which extended exits there are. */
int runs_guests(void);
UINT64 extended_exits(void);

/* kvm.c: guests on /dev/kvm, where it is asked for and the device works. */
int kvm_wanted(void);
/* The next exit; an HRESULT that is a failure where KVM does something for which the platform has none. */
HRESULT kvm_run(Partition *partition, Processor *processor, WHV_RUN_VP_EXIT_CONTEXT *exit);
int kvm_cpuid(UINT32 leaf, UINT32 subleaf, WHV_CPUID_OUTPUT *output);
/* Pages that the guest has written, into the ranges of the partition. */
void kvm_collect_dirty_pages(Partition *partition);
/* Before ranges change: what KVM has of them is told anew at the next run. */
void kvm_forget_memory(Partition *partition);
void kvm_release_processor(Processor *processor);
void kvm_release(Partition *partition);

#endif
