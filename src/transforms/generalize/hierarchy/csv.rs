//! The little of CSV that a hierarchy needs: RFC 4180 with any delimiter, lines ended by LF or CRLF.

use std::borrow::Cow;

/// The records of a file, one after the other. What is wrong is told by line, from 1, and never by content.
#[derive(Debug)]
pub(super) struct Records<'a> {
    /// What has not been read.
    rest: &'a str,
    /// Of the beginning of `rest`.
    line: usize,
    delimiter: char,
}

impl<'a> Records<'a> {
    /// `delimiter` is neither a quote nor a line break.
    ///
    /// # Errors
    /// Text that is not UTF-8.
    pub fn new(bytes: &'a [u8], delimiter: char) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let lines = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            format!("line {} is not UTF-8", lines + 1)
        })?;
        Ok(Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1, delimiter })
    }

    /// Puts the fields of the next record into `fields`; the line on which it begins, or `None` at the end. Lines
    /// without any text are passed over.
    ///
    /// # Errors
    /// A quote that is out of place or never closed.
    pub fn next(&mut self, fields: &mut Vec<Cow<'a, str>>) -> Result<Option<usize>, String> {
        fields.clear();
        while let Some(rest) = after_line_break(self.rest) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        loop {
            fields.push(self.field()?);
            if let Some(rest) = self.rest.strip_prefix(self.delimiter) {
                self.rest = rest;
                continue;
            }
            if let Some(rest) = after_line_break(self.rest) {
                self.rest = rest;
                self.line += 1;
            }
            return Ok(Some(line));
        }
    }

    /// One field; what remains begins with a delimiter, a line break or nothing.
    fn field(&mut self) -> Result<Cow<'a, str>, String> {
        if let Some(quoted) = self.rest.strip_prefix('"') {
            return self.quoted(quoted);
        }
        let end = self.rest.find([self.delimiter, '\n']).unwrap_or(self.rest.len());
        let before = &self.rest[..end];
        let ends_line = self.rest[end..].starts_with('\n');
        let field = before.strip_suffix('\r').filter(|_| ends_line).unwrap_or(before);
        if field.contains('"') {
            return Err(format!("line {} has a quote within a field that does not begin with one", self.line));
        }
        self.rest = &self.rest[field.len()..];
        Ok(field.into())
    }

    /// A field in quotes, of which the first is read.
    fn quoted(&mut self, text: &'a str) -> Result<Cow<'a, str>, String> {
        let begun = self.line;
        let mut field = Cow::Borrowed("");
        let mut rest = text;
        loop {
            let Some((part, after)) = rest.split_once('"') else {
                return Err(format!("line {begun} opens a quote that is never closed"));
            };
            self.line += part.matches('\n').count();
            if field.is_empty() {
                field = part.into()
            } else {
                field.to_mut().push_str(part)
            }
            match after.strip_prefix('"') {
                Some(after) => {
                    field.to_mut().push('"');
                    rest = after;
                }
                None => {
                    self.rest = after;
                    let ends =
                        after.is_empty() || after.starts_with(self.delimiter) || after_line_break(after).is_some();
                    return if ends {
                        Ok(field)
                    } else {
                        Err(format!("line {} has text behind a quoted field", self.line))
                    };
                }
            }
        }
    }
}

/// What follows a line break at the beginning of `text`.
fn after_line_break(text: &str) -> Option<&str> {
    text.strip_prefix('\n').or_else(|| text.strip_prefix("\r\n"))
}
