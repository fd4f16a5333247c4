//! The beginning and the end of a job.
//!
//! In unix-socket mode Suricata reads captures one after the other, each as a job with new threads,
//! new counters and new flows. What the plugin knows of the SAs of one capture must not appear in
//! the next. Other modes have one job.
//!
//! Suricata has no callback for jobs. Its packet threads show them: those of one job run at the same
//! time, and those of the next job start when all of them have ended.

use std::sync::Mutex;

use super::guard::lock;
use super::{counters, decryption, tracking};

/// What is known of the packet threads.
struct Threads {
    /// How many of them run.
    running: usize,
    /// Whether there has been a job before.
    had_job: bool,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads { running: 0, had_job: false });

/// A packet thread starts. The first one begins a job, and the others wait until all is ready.
pub(super) fn thread_starts() {
    let mut threads = lock(&THREADS);
    threads.running += 1;
    if threads.running > 1 {
        return;
    }
    if threads.had_job {
        tracking::forget();
        decryption::forget();
    }
    threads.had_job = true;
    counters::register();
    decryption::begin_watching();
}

/// A packet thread ends. What the plugin knows is kept until the next job, because Suricata still
/// frees flows and writes its counters for the last time.
pub(super) fn thread_ends() {
    let mut threads = lock(&THREADS);
    threads.running = threads.running.saturating_sub(1);
    if threads.running == 0 {
        decryption::end_watching();
    }
}
