/*
 * A peer that is a lock: one table, and a writer that keeps readers out. The file that includes it
 * says: LOCK (a type), INIT, FINI, READ_LOCK, READ_UNLOCK, WRITE_LOCK, WRITE_UNLOCK (each of a
 * `LOCK *`), and OPS.
 */
#include "peer.h"

struct shared {
	LOCK lock;
	struct tables tables __attribute__((aligned(128)));
};

struct worker {
	struct shared *shared;
};

static void *create(const uint64_t *table, uint64_t entries)
{
	struct shared *s = NULL;

	if (posix_memalign((void **)&s, 128, sizeof *s) != 0)
		return NULL;
	memset(&s->lock, 0, sizeof s->lock);
	if (!tables_init(&s->tables, table, entries)) {
		free(s);
		return NULL;
	}
	INIT(&s->lock);
	return s;
}

static void destroy(void *shared)
{
	struct shared *s = shared;

	FINI(&s->lock);
	free(s);
}

static void *join(void *shared)
{
	struct worker *w = malloc(sizeof *w);

	if (w != NULL)
		w->shared = shared;
	return w;
}

static void leave(void *worker)
{
	free(worker);
}

static void suspend(void *worker, void (*during)(void *), void *context)
{
	struct worker *w = worker;

	WRITE_LOCK(&w->shared->lock);
	during(context);
	WRITE_UNLOCK(&w->shared->lock);
}

#define ENTER(w) READ_LOCK(&(w)->shared->lock)
#define EXIT(w) READ_UNLOCK(&(w)->shared->lock)
#define TABLE(w) ((w)->shared->tables.words[0])
#define BEGIN NOTHING
#define END NOTHING
#define QUIESCENT NOTHING
#define READS UINT64_MAX

PEER(OPS);
