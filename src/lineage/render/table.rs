//! A plain table for the terminal: cells wrap, columns shrink to the width, nothing is cut off.

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heading {
    pub(super) title: &'static str,
    /// Figures stand to the right and never wrap.
    pub(super) figures: bool,
}

const GAP: usize = 2;
/// Text narrower than this reads badly; the table rather grows beyond the width.
const NARROWEST: usize = 10;

/// The table, each line with its newline; as wide as `width` characters if the figures leave room.
pub(super) fn render(headings: &[Heading], rows: &[Vec<String>], width: usize) -> String {
    let widths = widths(headings, rows, width);
    let titles: Vec<String> = headings.iter().map(|heading| heading.title.to_owned()).collect();
    let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    let mut out = String::new();
    for row in [&titles, &rules].into_iter().chain(rows) {
        push_row(&mut out, headings, row, &widths);
    }
    out
}

fn widths(headings: &[Heading], rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let longest = |at: usize, heading: &Heading| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([heading.title.chars().count()]).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = headings.iter().enumerate().map(|(at, heading)| longest(at, heading)).collect();
    let room = width.saturating_sub(GAP * headings.len().saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let widest = (0..widths.len()).filter(|&at| !headings[at].figures).max_by_key(|&at| (widths[at], at));
        match widest {
            Some(at) if widths[at] > NARROWEST => widths[at] -= 1,
            _ => break,
        }
    }
    widths
}

fn push_row(out: &mut String, headings: &[Heading], row: &[String], widths: &[usize]) {
    let cells: Vec<Vec<String>> = row.iter().zip(widths).map(|(cell, &width)| wrap(cell, width)).collect();
    let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..lines {
        let mut text = String::new();
        for ((cell, heading), &width) in cells.iter().zip(headings).zip(widths) {
            let part = cell.get(line).map_or("", String::as_str);
            let blank = " ".repeat(width.saturating_sub(part.chars().count()));
            let (before, after) = if heading.figures { (blank.as_str(), "") } else { ("", blank.as_str()) };
            for piece in [before, part, after, &" ".repeat(GAP)] {
                text.push_str(piece);
            }
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
}

/// Lines of at most `width` characters, broken at spaces where there are any.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let mut rest: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + rest.len() <= width {
            lines.last_mut().expect("never empty").push(' ');
            used += 1;
        } else if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        while rest.len() > width - used {
            let tail = rest.split_off(width - used);
            lines.last_mut().expect("never empty").extend(rest);
            lines.push(String::new());
            (rest, used) = (tail, 0);
        }
        used += rest.len();
        lines.last_mut().expect("never empty").extend(rest);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [Heading; 2] =
        [Heading { title: "name", figures: false }, Heading { title: "rows", figures: true }];

    #[test]
    fn figures_stand_right_and_text_left() {
        let rows = [vec!["a".into(), "1,000".into()], vec!["bcdef".into(), "7".into()]];
        assert_eq!(render(&HEADINGS, &rows, 80), "name    rows\n-----  -----\na      1,000\nbcdef      7\n");
    }

    #[test]
    fn long_text_wraps_at_spaces_and_long_words_are_broken_nothing_is_lost() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn table_keeps_to_the_width_while_text_can_shrink() {
        let rows = [vec!["some words that are long enough to wrap".into(), "123,456".into()]];
        let table = render(&HEADINGS, &rows, 30);
        assert!(table.lines().all(|line| line.chars().count() <= 30), "{table}");
        assert!(render(&HEADINGS, &rows, 1).contains("123,456"), "figures never wrap");
    }
}
