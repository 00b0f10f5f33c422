/*
 * A flavour of liburcu. The file that includes it says: FLAVOUR (the prefix of its functions),
 * REGISTER and UNREGISTER (of a thread), BEGIN, END, QUIESCENT, READS (see peer.h), and OPS.
 *
 * A thread is registered once with a flavour, however many workers it has.
 */
#include "peer.h"

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define RCU(function) PASTE(FLAVOUR, function)

struct shared {
	struct tables tables __attribute__((aligned(128)));
	/* Held while one suspends. */
	pthread_mutex_t alone;
};

struct worker {
	struct shared *shared;
};

static __thread unsigned int registered;

static void *create(const uint64_t *table, uint64_t entries)
{
	struct shared *s = NULL;

	if (posix_memalign((void **)&s, 128, sizeof *s) != 0)
		return NULL;
	if (!tables_init(&s->tables, table, entries)) {
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->alone, NULL);
	return s;
}

static void destroy(void *shared)
{
	struct shared *s = shared;

	pthread_mutex_destroy(&s->alone);
	free(s);
}

static void *join(void *shared)
{
	struct worker *w = malloc(sizeof *w);

	if (w == NULL)
		return NULL;
	w->shared = shared;
	if (registered++ == 0)
		REGISTER();
	return w;
}

static void leave(void *worker)
{
	if (--registered == 0)
		UNREGISTER();
	free(worker);
}

static void suspend(void *worker, void (*during)(void *), void *context)
{
	struct worker *w = worker;

	pthread_mutex_lock(&w->shared->alone);
	tables_publish(&w->shared->tables);
	RCU(synchronize_rcu)();
	during(context);
	pthread_mutex_unlock(&w->shared->alone);
}

#define ENTER(w) ((void)(w), RCU(read_lock)())
#define EXIT(w) ((void)(w), RCU(read_unlock)())
#define TABLE(w) tables_current(&(w)->shared->tables)

PEER(OPS);
