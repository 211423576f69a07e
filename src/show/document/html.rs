//! A page as one file of HTML that needs nothing else: no network, no font, no script.

use super::Document;

/// The page.
pub fn write(document: &Document) -> String {
    let _ = document;
    String::new()
}
