//! Times of what happens to a message: `cargo bench --bench times`.
//!
//! They are of this machine and this run; `cargo bench --bench instructions` counts
//! what hardly differs between machines, and `--bench sa` the same of SAs.

mod crowd;
mod subject;

use std::hint::black_box;

use criterion::{BatchSize, Criterion};

use crowd::{observe, table_of, SUBJECTS as SA_SUBJECTS};
use subject::{samples, SUBJECTS};

fn messages(criterion: &mut Criterion) {
    for (label, datagram) in samples() {
        let mut group = criterion.benchmark_group(label);
        for (name, work) in SUBJECTS {
            group.bench_function(name, |bencher| bencher.iter(|| work(black_box(&datagram))));
        }
        group.finish();
    }
}

fn sas(criterion: &mut Criterion) {
    for total in [1_000, 1_000_000] {
        let table = table_of(total);
        let mut group = criterion.benchmark_group(format!("{total} SAs"));
        for (name, message) in SA_SUBJECTS {
            let mut number = 0;
            group.bench_function(*name, |bencher| {
                bencher.iter_batched(
                    || {
                        number += 1;
                        message(number, total)
                    },
                    |message| observe(&table, &message),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    messages(&mut criterion);
    sas(&mut criterion);
    criterion.final_summary();
}
