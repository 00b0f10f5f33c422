/* liburcu, the flavour on membarrier. */
#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>

#define FLAVOUR urcu_memb
#define REGISTER() urcu_memb_register_thread()
#define UNREGISTER() urcu_memb_unregister_thread()
#define BEGIN NOTHING
#define END NOTHING
#define QUIESCENT NOTHING
#define READS UINT64_MAX
#define OPS ptom_urcu_memb
#include "urcu.h"
