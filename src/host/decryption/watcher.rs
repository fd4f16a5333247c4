//! The thread that reads the key tables again and again.

use core::ptr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::host::guard::{guard, lock};
use crate::host::log;

/// The time between two readings. Peers use new keys within milliseconds; messages that come
/// before their keys are kept until then.
const INTERVAL: Duration = Duration::from_millis(100);

/// The thread, while a job runs.
static THREAD: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);

/// Whether the thread has to end, and the signal that this has changed.
static STOP: Mutex<bool> = Mutex::new(false);
static STOP_CHANGED: Condvar = Condvar::new();

/// Starts the thread, which calls `read_files` at each interval. `read_files` is called here too
/// before this returns, because the tables may have grown since the start or since the last job.
///
/// To be called when the first packet thread of a job starts: a thread that is started earlier
/// ends when Suricata becomes a daemon.
pub(in crate::host) fn begin_watching(read_files: impl Fn() + Send + 'static) {
    read_files();
    *lock(&STOP) = false;
    let thread = Builder::new().name("IKEv2Keys".to_owned()).spawn(|| {
        guard((), || {
            block_signals();
            watch(read_files);
        });
    });
    match thread {
        Ok(thread) => *lock(&THREAD) = Some(thread),
        Err(error) => log::error(&format!(
            "key tables are read only once, because no thread could be started: {error}"
        )),
    }
}

/// Ends the thread and waits for its end. To be called when the last packet thread of a job ends.
pub(in crate::host) fn end_watching() {
    let thread = lock(&THREAD).take();
    if let Some(thread) = thread {
        *lock(&STOP) = true;
        STOP_CHANGED.notify_all();
        // The hook has reported a panic of the thread.
        let _ = thread.join();
    }
}

fn watch(read_files: impl Fn()) {
    let mut stop = lock(&STOP);
    while !*stop {
        drop(stop);
        read_files();
        let waited = STOP_CHANGED.wait_timeout(lock(&STOP), INTERVAL);
        stop = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Blocks all signals in the calling thread: only Suricata's own threads handle them.
fn block_signals() {
    // SAFETY: a set of signals is plain data, so it may begin as zeros; `sigfillset` fills it.
    // `pthread_sigmask` changes the mask of the calling thread alone.
    unsafe {
        let mut all = core::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, ptr::null_mut());
    }
}
