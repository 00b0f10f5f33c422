//! Random schedules of worlds too large to explore.
