/* Concurrency Kit's big-reader lock: a counter a reader, in a list that the writer walks. */
#include <ck_brlock.h>

#include "peer.h"

struct shared {
	ck_brlock_t lock;
	struct tables tables __attribute__((aligned(128)));
};

struct worker {
	ck_brlock_reader_t reader;
	struct shared *shared;
} __attribute__((aligned(128)));

static void *create(const uint64_t *table, uint64_t entries)
{
	struct shared *s = NULL;

	if (posix_memalign((void **)&s, 128, sizeof *s) != 0)
		return NULL;
	if (!tables_init(&s->tables, table, entries)) {
		free(s);
		return NULL;
	}
	ck_brlock_init(&s->lock);
	return s;
}

static void destroy(void *shared)
{
	free(shared);
}

static void *join(void *shared)
{
	struct worker *w = NULL;

	if (posix_memalign((void **)&w, 128, sizeof *w) != 0)
		return NULL;
	w->shared = shared;
	ck_brlock_read_register(&w->shared->lock, &w->reader);
	return w;
}

static void leave(void *worker)
{
	struct worker *w = worker;

	ck_brlock_read_unregister(&w->shared->lock, &w->reader);
	free(w);
}

static void suspend(void *worker, void (*during)(void *), void *context)
{
	struct worker *w = worker;

	ck_brlock_write_lock(&w->shared->lock);
	during(context);
	ck_brlock_write_unlock(&w->shared->lock);
}

#define ENTER(w) ck_brlock_read_lock(&(w)->shared->lock, &(w)->reader)
#define EXIT(w) ck_brlock_read_unlock(&(w)->reader)
#define TABLE(w) ((w)->shared->tables.words[0])
#define BEGIN NOTHING
#define END NOTHING
#define QUIESCENT NOTHING
#define READS UINT64_MAX

PEER(ptom_ck_brlock);
