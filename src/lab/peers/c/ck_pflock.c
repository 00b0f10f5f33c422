/* Concurrency Kit's pflock. */
#include <ck_pflock.h>

#define LOCK ck_pflock_t
#define INIT ck_pflock_init
#define FINI(l) ((void)(l))
#define READ_LOCK ck_pflock_read_lock
#define READ_UNLOCK ck_pflock_read_unlock
#define WRITE_LOCK ck_pflock_write_lock
#define WRITE_UNLOCK ck_pflock_write_unlock
#define OPS ptom_ck_pflock
#include "lock.h"
