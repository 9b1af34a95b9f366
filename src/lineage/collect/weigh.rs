//! What only the values seen can tell: columns whose values are few enough to be guessed.

use super::figures::Figures;
use crate::arrays::space::CHEAP_BITS;
use crate::lineage::model::Warning;
use crate::policy::describe::{PlanDescription, SMALL_DOMAIN};

/// Warnings about columns that the plan alone could not tell to be guessable.
pub(super) fn seen(plan: &PlanDescription, figures: &[Figures]) -> Vec<Warning> {
    let is_known = |name: &str| {
        plan.warnings.iter().any(|warning| warning.code == SMALL_DOMAIN && warning.column.as_deref() == Some(name))
    };
    let columns =
        plan.columns.iter().zip(figures).filter(|(column, _)| column.tests_guesses && !is_known(&column.name));
    columns
        .filter_map(|(column, figures)| {
            let bits = figures.value_bits().filter(|&bits| bits < u64::from(CHEAP_BITS))? + 1;
            let message = format!(
                "`{}`: the values seen are of a kind of which there are fewer than 2^{bits}: all possible ones can be tried by who holds the \
                 key or can have values transformed",
                column.name
            );
            Some(Warning { code: SMALL_DOMAIN.to_owned(), column: Some(column.name.clone()), message })
        })
        .collect()
}
