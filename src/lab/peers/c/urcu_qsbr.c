/*
 * liburcu, the flavour of quiescent states. A read is free; a thread says that it holds nothing once
 * in 1,024 reads, and is offline between two batches, so that idle workers keep nobody waiting.
 */
#define _LGPL_SOURCE
#include <urcu/urcu-qsbr.h>

#define READS 1024

#define FLAVOUR urcu_qsbr
#define REGISTER() (urcu_qsbr_register_thread(), urcu_qsbr_thread_offline())
#define UNREGISTER() urcu_qsbr_unregister_thread()
#define BEGIN(w) ((void)(w), urcu_qsbr_thread_online())
#define END(w) ((void)(w), urcu_qsbr_thread_offline())
#define QUIESCENT(w) ((void)(w), urcu_qsbr_quiescent_state())
#define OPS ptom_urcu_qsbr
#include "urcu.h"
