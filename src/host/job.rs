//! Where a job begins: in unix-socket mode Suricata works through captures one by one, with
//! new threads, new counters and new flows for each. What the plugin knows of one capture's
//! SAs must not come up in the next.
//!
//! No hook of the host tells of a job. Its packet threads do: of one job they live at the same
//! time, and those of the next start when all of them have ended. Other modes have one job.

use std::sync::Mutex;

use super::guard::lock;
use super::{counters, decryption, tracking};

/// The packet threads, of which the first begins a job.
struct Threads {
    running: usize,
    /// Whether there has been a job before.
    had_job: bool,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads { running: 0, had_job: false });

/// A packet thread starts; with the first one a job begins. Others wait until all is ready.
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

/// A packet thread ends. What is known is kept until the next job: Suricata still frees flows,
/// and writes its counters for the last time.
pub(super) fn thread_ends() {
    let mut threads = lock(&THREADS);
    threads.running = threads.running.saturating_sub(1);
    if threads.running == 0 {
        decryption::end_watching();
    }
}
