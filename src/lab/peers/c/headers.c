/* Preprocessed before all else: the headers that the peers need. */
#include <ck_brlock.h>
#include <urcu/urcu-memb.h>
