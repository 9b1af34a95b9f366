//! Which requests to make for which byte ranges.

use std::ops::Range;

/// Ranges closer than this are read in one request: at 100 MB/s the gap costs about 10 ms, less than a round trip
/// to a store.
pub const COALESCE_GAP_BYTES: u64 = 1024 * 1024;

/// Requests are not merged beyond this size, so that several run side by side.
pub const COALESCE_LIMIT_BYTES: u64 = 16 * 1024 * 1024;

/// The requests that cover `ranges` (in any order, overlapping or empty), sorted and without overlap of their starts;
/// ranges at most `gap` bytes apart become one.
///
/// A range that is itself over the limit is one request.
pub(super) fn coalesce(ranges: &[Range<u64>], gap: u64) -> Vec<Range<u64>> {
    let mut sorted: Vec<_> = ranges.iter().filter(|range| range.start < range.end).cloned().collect();
    sorted.sort_by_key(|range| (range.start, range.end));
    let mut requests: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        if let Some(last) = requests.last_mut() {
            let inside = range.end <= last.end;
            let near = range.start <= last.end.saturating_add(gap);
            let small = range.end - last.start <= COALESCE_LIMIT_BYTES;
            if inside || (near && small) {
                last.end = last.end.max(range.end);
                continue;
            }
        }
        requests.push(range);
    }
    requests
}

/// The request of `requests` (as [`coalesce`] gives them) that holds `range`.
pub(super) fn holder(requests: &[Range<u64>], range: &Range<u64>) -> Option<usize> {
    let after = requests.partition_point(|request| request.start <= range.start);
    requests[..after].iter().rposition(|request| range.end <= request.end)
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of one range is what is meant")]
mod tests {
    use super::*;

    const GAP: u64 = COALESCE_GAP_BYTES;

    #[test]
    fn near_ranges_merge_and_far_ones_do_not() {
        let near = [0..10, 10 + GAP..20 + GAP];
        assert_eq!(coalesce(&near, GAP), [0..20 + GAP]);
        let far = [0..10, 11 + GAP..20 + GAP];
        assert_eq!(coalesce(&far, GAP), far);
    }

    #[test]
    fn without_a_gap_only_ranges_that_touch_merge() {
        assert_eq!(coalesce(&[0..10, 10..20, 21..30], 0), [0..20, 21..30]);
    }

    #[test]
    fn order_overlap_and_emptiness_do_not_matter() {
        assert_eq!(coalesce(&[30..40, 0..10, 5..35, 7..7], GAP), [0..40]);
        assert!(coalesce(&[5..5], GAP).is_empty());
    }

    #[test]
    fn merging_stops_at_the_limit() {
        let half = COALESCE_LIMIT_BYTES / 2;
        let ranges = [0..half, half..2 * half, 2 * half..3 * half];
        assert_eq!(coalesce(&ranges, GAP), [0..2 * half, 2 * half..3 * half]);
    }

    #[test]
    fn every_range_lies_in_one_request() {
        let limit = COALESCE_LIMIT_BYTES;
        let ranges = [0..limit, 10..20, limit - 5..limit + 5, limit..limit + 1, limit * 3..limit * 5];
        let requests = coalesce(&ranges, GAP);
        for range in &ranges {
            let holder = holder(&requests, range).map(|i| requests[i].clone());
            assert!(holder.is_some_and(|h| h.start <= range.start && range.end <= h.end), "{range:?}");
        }
    }
}
