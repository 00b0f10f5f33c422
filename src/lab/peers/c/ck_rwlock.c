/* Concurrency Kit's rwlock. */
#include <ck_rwlock.h>

#define LOCK ck_rwlock_t
#define INIT ck_rwlock_init
#define FINI(l) ((void)(l))
#define READ_LOCK ck_rwlock_read_lock
#define READ_UNLOCK ck_rwlock_read_unlock
#define WRITE_LOCK ck_rwlock_write_lock
#define WRITE_UNLOCK ck_rwlock_write_unlock
#define OPS ptom_ck_rwlock
#include "lock.h"
