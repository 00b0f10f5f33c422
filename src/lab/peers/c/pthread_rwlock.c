/* The default kind: readers go first. */
#define _GNU_SOURCE
#include <pthread.h>

static void init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t kind;

	pthread_rwlockattr_init(&kind);
	pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_READER_NP);
	pthread_rwlock_init(lock, &kind);
	pthread_rwlockattr_destroy(&kind);
}

#define LOCK pthread_rwlock_t
#define INIT init
#define FINI pthread_rwlock_destroy
#define READ_LOCK pthread_rwlock_rdlock
#define READ_UNLOCK pthread_rwlock_unlock
#define WRITE_LOCK pthread_rwlock_wrlock
#define WRITE_UNLOCK pthread_rwlock_unlock
#define OPS ptom_pthread_rwlock
#include "lock.h"
