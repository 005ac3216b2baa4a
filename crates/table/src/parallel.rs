//! Work on several threads with results in the order of the work, so that they do not depend on the number of threads.

use std::num::NonZero;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Items and results that may wait for each thread, so that a slow thread does not block the others.
const WAITING: usize = 3;

/// The number of threads that the processor runs at a time.
pub fn available_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Passes the items of `next` to `work` on several threads, and the results to `take` in order. Only a few items per thread
/// are in memory at a time. A single item is processed on the calling thread.
///
/// # Errors
/// The first error of `next` or `take`, after the results before it.
pub fn in_order<T: Send, R: Send, E: Send>(
    threads: usize,
    mut next: impl FnMut() -> Result<Option<T>, E> + Send,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let Some(first) = next()? else { return Ok(()) };
    let second = match next() {
        Ok(None) => return take(work(first)),
        second => second,
    };
    let mut items = [Ok(Some(first)), second].into_iter().chain(std::iter::from_fn(|| Some(next())));
    thread::scope(|scope| {
        let work = &work;
        let worker = |_| {
            let (give, given) = sync_channel::<Result<T, E>>(WAITING);
            let (answer, answers) = sync_channel(WAITING);
            scope
                .spawn(move || given.into_iter().map(|item| item.map(work)).try_for_each(|result| answer.send(result)));
            (give, answers)
        };
        let (workers, answers): (Vec<_>, Vec<_>) = (0..threads.max(1)).map(worker).unzip();
        scope.spawn(move || {
            for worker in workers.iter().cycle() {
                let Some(item) = items.next().and_then(Result::transpose) else { return };
                let is_last = item.is_err();
                // The receiver is closed: `take` failed.
                if worker.send(item).is_err() || is_last {
                    return;
                }
            }
        });
        // A closed channel means that there are no more items.
        answers.iter().cycle().map_while(|answers| answers.recv().ok()).try_for_each(|result| take(result?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(threads: usize, count: u64, refused: u64) -> (Vec<u64>, Result<(), String>) {
        let (mut given, mut taken) = (0..count, Vec::new());
        let outcome = in_order(
            threads,
            || Ok(given.next()),
            |item| item * item,
            |result| {
                if result == refused {
                    return Err(format!("{result} is refused"));
                }
                taken.push(result);
                Ok(())
            },
        );
        (taken, outcome)
    }

    #[test]
    fn results_are_in_the_order_of_the_items_for_any_number_of_threads() {
        for count in [0, 1, 2, 3, 100] {
            let expected: Vec<u64> = (0..count).map(|item| item * item).collect();
            for threads in [0, 1, 2, 7] {
                assert_eq!(squares(threads, count, u64::MAX), (expected.clone(), Ok(())));
            }
        }
    }

    #[test]
    fn an_error_of_take_ends_the_work() {
        for threads in [1, 2, 7] {
            assert_eq!(squares(threads, 1000, 9), (vec![0, 1, 4], Err("9 is refused".into())));
        }
    }

    #[test]
    fn an_error_of_next_follows_the_results_before_it() {
        for threads in [1, 2, 7] {
            let (mut given, mut taken) = (0.., Vec::new());
            let outcome = in_order(
                threads,
                || given.next().filter(|item| *item < 5).map(Some).ok_or("torn"),
                |item: u32| item,
                |item| {
                    taken.push(item);
                    Ok(())
                },
            );
            assert_eq!((outcome, taken), (Err("torn"), vec![0, 1, 2, 3, 4]));
        }
    }
}
