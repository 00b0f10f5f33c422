/*
 * Concurrency Kit's bytelock: a byte a reader in the lock's own line. A worker has a slot of its own,
 * from 1 on, for as long as it lives; there are 56 on a line of 64 bytes, and no more workers.
 */
#include <ck_bytelock.h>

#include "peer.h"

#define SLOTS (sizeof((ck_bytelock_t *)0)->readers)

struct shared {
	ck_bytelock_t lock __attribute__((aligned(128)));
	struct tables tables __attribute__((aligned(128)));
	pthread_mutex_t joining;
	bool taken[SLOTS];
};

struct worker {
	struct shared *shared;
	unsigned int slot;
};

static void *create(const uint64_t *table, uint64_t entries)
{
	struct shared *s = NULL;

	if (posix_memalign((void **)&s, 128, sizeof *s) != 0)
		return NULL;
	if (!tables_init(&s->tables, table, entries)) {
		free(s);
		return NULL;
	}
	ck_bytelock_init(&s->lock);
	pthread_mutex_init(&s->joining, NULL);
	memset(s->taken, 0, sizeof s->taken);
	return s;
}

static void destroy(void *shared)
{
	struct shared *s = shared;

	pthread_mutex_destroy(&s->joining);
	free(s);
}

static void *join(void *shared)
{
	struct shared *s = shared;
	struct worker *w = malloc(sizeof *w);

	if (w == NULL)
		return NULL;
	w->shared = s;
	w->slot = 0;
	pthread_mutex_lock(&s->joining);
	for (unsigned int at = 0; at < SLOTS && w->slot == 0; at++) {
		if (!s->taken[at]) {
			s->taken[at] = true;
			w->slot = at + 1;
		}
	}
	pthread_mutex_unlock(&s->joining);
	if (w->slot == 0) {
		free(w);
		return NULL;
	}
	return w;
}

static void leave(void *worker)
{
	struct worker *w = worker;

	pthread_mutex_lock(&w->shared->joining);
	w->shared->taken[w->slot - 1] = false;
	pthread_mutex_unlock(&w->shared->joining);
	free(w);
}

static void suspend(void *worker, void (*during)(void *), void *context)
{
	struct worker *w = worker;

	ck_bytelock_write_lock(&w->shared->lock, w->slot);
	during(context);
	ck_bytelock_write_unlock(&w->shared->lock);
}

#define ENTER(w) ck_bytelock_read_lock(&(w)->shared->lock, (w)->slot)
#define EXIT(w) ck_bytelock_read_unlock(&(w)->shared->lock, (w)->slot)
#define TABLE(w) ((w)->shared->tables.words[0])
#define BEGIN NOTHING
#define END NOTHING
#define QUIESCENT NOTHING
#define READS UINT64_MAX

PEER(ptom_ck_bytelock);
