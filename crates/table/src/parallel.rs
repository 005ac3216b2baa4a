//! Work on several threads whose results come in the order of the work: answers never depend on how many threads there are.

use std::num::NonZero;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Items that wait for a thread, and results that wait to be taken, for each: enough that a slow one holds nobody up.
const WAITING: usize = 3;

/// As many threads as the processor runs at a time.
pub fn available_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Hands what `next` gives to `work`, on so many threads, and the results to `take`, in order. No more than a few items a
/// thread are there at a time. A single item is worked on right here.
///
/// # Errors
/// The first failure of `next` or `take`, after the results before it.
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
                // Nobody listens any more: a result was refused.
                if worker.send(item).is_err() || is_last {
                    return;
                }
            }
        });
        // Whose turn it is has nothing more to say when there are no more items.
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
    fn results_come_in_the_order_of_the_items_whatever_the_threads() {
        for count in [0, 1, 2, 3, 100] {
            let expected: Vec<u64> = (0..count).map(|item| item * item).collect();
            for threads in [0, 1, 2, 7] {
                assert_eq!(squares(threads, count, u64::MAX), (expected.clone(), Ok(())));
            }
        }
    }

    #[test]
    fn a_result_that_is_refused_ends_it() {
        for threads in [1, 2, 7] {
            assert_eq!(squares(threads, 1000, 9), (vec![0, 1, 4], Err("9 is refused".into())));
        }
    }

    #[test]
    fn a_source_that_fails_is_heard_after_what_it_gave_before() {
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
