use super::*;
use crate::engine::outcome::Route;
use crate::lineage::model::{Column, RouteUse};
use crate::lineage::testing::{self, ending, failed, plan_with, run_facts, skipped, written};

fn report_of(outcomes: impl IntoIterator<Item = Outcome>) -> Report {
    let mut collector = testing::collector();
    outcomes.into_iter().for_each(|outcome| collector.add(outcome));
    collector.finish(Ending { pruned: 0, ..ending() })
}

fn two_written() -> [Outcome; 2] {
    let plan = plan_with("phone");
    [written("a.csv", 500, &plan), written("b.csv", 1_000, &plan)]
}

fn column<'a>(report: &'a Report, name: &str) -> &'a Column {
    report.columns.iter().find(|column| column.name == name).expect("a planned column")
}

#[test]
fn figures_are_summed_over_written_objects() {
    let report = report_of(two_written().into_iter().chain([skipped("c.csv")]));
    let email = column(&report, "email");
    assert_eq!(email.values, Some(1_500));
    assert_eq!((email.nulls, email.empties, email.transformed, email.failed), (Some(6), Some(2), Some(1_494), Some(0)));
    assert_eq!(email.distinct_in, testing::facts("", 1_000).distinct_in.map(|sketch| sketch.estimate()));
    assert_eq!(email.routes, [RouteUse { route: "stream".into(), objects: 2, bytes: Some(12_000) }]);
    let totals = &report.totals;
    assert_eq!((totals.rows_in, totals.rows_out), (Some(1_520), Some(1_500)));
    assert_eq!((totals.bytes_in, totals.bytes_out), (Some(8_192), Some(8_192)));
}

#[test]
fn never_more_distinct_values_than_values() {
    let [mut outcome, _] = two_written();
    outcome.columns[1].values = Some(3);
    assert_eq!(column(&report_of([outcome]), "email").distinct_in, Some(3));
}

#[test]
fn one_unknown_part_makes_the_sum_unknown_in_either_order() {
    for unknown in [0, 1] {
        let mut outcomes = two_written();
        outcomes[unknown].input.rows = None;
        let facts = &mut outcomes[unknown].columns[1];
        facts.routes[0].bytes = None;
        (facts.nulls, facts.empties, facts.distinct_out) = (None, None, None);
        let report = report_of(outcomes);
        let email = column(&report, "email");
        assert_eq!((email.nulls, email.empties, email.distinct_out, email.routes[0].bytes), (None, None, None, None));
        assert_eq!((email.values, email.failed), (Some(1_500), Some(0)), "what is known stays known");
        assert!(email.distinct_in.is_some());
        assert_eq!((report.totals.rows_in, report.totals.rows_out), (None, Some(1_500)));
    }
}

#[test]
fn object_that_says_nothing_of_a_column_makes_its_figures_unknown() {
    let mut outcomes = two_written();
    outcomes[0].columns.remove(1);
    let report = report_of(outcomes);
    let email = column(&report, "email");
    assert_eq!((email.values, email.nulls, email.distinct_in), (None, None, None));
    assert_eq!(email.routes[0].objects, 1);
}

#[test]
fn figures_are_unknown_where_nothing_was_written() {
    let report = report_of([skipped("a.csv")]);
    let email = column(&report, "email");
    assert_eq!((email.values, email.nulls, email.failed, email.distinct_in), (None, None, None, None));
    assert!(email.routes.is_empty());
    assert_eq!(report.totals.rows_in, Some(0), "this run read no rows, and knows it");
}

#[test]
fn sum_that_does_not_fit_is_unknown() {
    let mut outcomes = two_written();
    outcomes[0].columns[1].values = Some(u64::MAX);
    assert_eq!(column(&report_of(outcomes), "email").values, None);
}

#[test]
fn routes_are_counted_apart() {
    let mut outcomes = two_written();
    outcomes[0].columns[1].routes[0].route = Route::Path;
    let report = report_of(outcomes);
    let routes: Vec<_> = column(&report, "email").routes.iter().map(|used| (used.route.as_str(), used.bytes)).collect();
    assert_eq!(routes, [("stream", Some(8_000)), ("path", Some(4_000))]);
}

#[test]
fn order_of_outcomes_does_not_show() {
    let plan = plan_with("phone");
    let outcomes = [
        written("country=DE/a.csv", 10, &plan),
        skipped("country=AT/c.csv"),
        written("country=DE/b.csv", 20, &plan),
        failed("country=FR/d.csv", "gone"),
    ];
    let forwards = report_of(outcomes.clone());
    let backwards = report_of(outcomes.into_iter().rev());
    assert_eq!(forwards, backwards);
    let paths: Vec<_> = forwards.objects.iter().map(|object| object.input.path.as_str()).collect();
    assert_eq!(paths, ["country=AT/c.csv", "country=DE/a.csv", "country=DE/b.csv", "country=FR/d.csv"]);
}

#[test]
fn status_says_what_stands() {
    let plan = plan_with("phone");
    let (w, s, f) = (written("w.csv", 5, &plan), skipped("s.csv"), failed("f.csv", "gone"));
    for (outcomes, expected) in [
        (vec![w.clone()], Status::Complete),
        (vec![w.clone(), s.clone()], Status::Complete),
        (vec![s.clone()], Status::NothingToDo),
        (vec![], Status::NothingToDo),
        (vec![w.clone(), f.clone()], Status::Partial),
        (vec![s.clone(), f.clone()], Status::Partial),
        (vec![f.clone()], Status::Failed),
    ] {
        assert_eq!(report_of(outcomes.clone()).status, expected, "{outcomes:?}");
    }
}

#[test]
fn run_that_stopped_is_never_complete_and_says_why() {
    let stopped = || {
        let failure = outcome::Failure { code: "key-missing".into(), message: "no key".into() };
        Ending { failure: Some(failure), ..ending() }
    };
    let report = testing::collector().finish(stopped());
    assert_eq!((report.status, report.failure.map(|f| f.code)), (Status::Failed, Some("key-missing".into())));
    let mut collector = testing::collector();
    collector.add(skipped("a.csv"));
    assert_eq!(collector.finish(stopped()).status, Status::Partial);
}

#[test]
fn pruning_alone_is_something_done() {
    let mut collector = testing::collector();
    collector.add(skipped("a.csv"));
    assert_eq!(collector.finish(Ending { pruned: 1, ..ending() }).status, Status::Complete);
}

#[test]
fn kept_columns_are_listed_as_such_in_plan_order() {
    assert_eq!(report_of([]).kept, ["tenant_id", "signed_up_at", "country"]);
}

#[test]
fn column_outside_the_plan_is_a_warning_once() {
    let mut outcomes = two_written();
    for outcome in &mut outcomes {
        outcome.columns.push(testing::facts("surprise", 5));
    }
    let report = report_of(outcomes);
    let codes: Vec<_> = report.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(codes, ["derive-shows-raw", "unplanned-column"]);
}

#[test]
fn late_warning_takes_its_place_once() {
    let mut report = report_of([]);
    let late = Warning { code: "a-first".into(), column: None, message: "late".into() };
    report.warn(late.clone());
    report.warn(late.clone());
    assert_eq!(report.warnings[0], late);
    assert_eq!(report.warnings.len(), 2);
}

#[test]
fn times_are_rfc_3339_in_utc() {
    let report = report_of([]);
    assert_eq!(report.started, "2026-11-22T00:00:00.000Z");
    assert_eq!(report.ended, "2026-11-22T00:00:12.345Z");
    assert_eq!(report.elapsed_ms, 12_345);
    assert_eq!(rfc3339(UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
}

#[test]
fn clock_that_ran_backwards_gives_no_time_rather_than_a_panic() {
    let ending = Ending { ended: run_facts().started - std::time::Duration::from_secs(5), ..ending() };
    assert_eq!(testing::collector().finish(ending).elapsed_ms, 0);
}
