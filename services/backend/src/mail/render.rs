//! Words as plain text and as HTML. Nothing is loaded from anywhere, and no address tells who opened it.

use std::fmt::Write as _;

use super::letters::{Block, Words};

/// Longest line of plain text, characters; what is longer is broken at spaces.
const LINE: usize = 76;
const CLOSING: &str = "Kinora sent this mail by itself. Answers to it are not read.";

/// Breaks a paragraph into lines. A word that is longer than a line, such as an address, stays whole.
fn wrap(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let count = word.chars().count();
        if length > 0 && length + 1 + count > LINE {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += count;
    }
    lines
}

/// The plain part.
pub(super) fn plain(words: &Words) -> String {
    let mut parts = vec![wrap(&words.subject)];
    for block in &words.blocks {
        parts.push(match block {
            Block::Text(text) | Block::Small(text) => wrap(text),
            Block::Button(label, link) => format!("{label}:\n{link}"),
            Block::Code(code) => format!("    {code}"),
            Block::Facts(facts) => {
                let lines: Vec<String> =
                    facts.iter().map(|(name, value)| format!("{name}: {}", one_line(value))).collect();
                lines.join("\n")
            }
        });
    }
    parts.push(format!("-- \n{CLOSING}"));
    parts.join("\n\n") + "\n"
}

/// Without line breaks, so that a name cannot pass for a line of its own.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/// The HTML part: one column that every mail program can show, light and dark, without any picture.
pub(super) fn html(words: &Words) -> String {
    let mut body = format!(
        "<h1 style=\"{FONT};font-size:20px;line-height:28px;margin:0 0 16px;font-weight:600\">{}</h1>\n",
        escape(&words.subject)
    );
    for block in &words.blocks {
        // Writing to a String does not fail.
        let _ = match block {
            Block::Text(text) => writeln!(
                body,
                "<p style=\"{FONT};font-size:15px;line-height:23px;margin:0 0 16px\">{}</p>",
                escape(text)
            ),
            Block::Small(text) => writeln!(
                body,
                "<p style=\"{FONT};font-size:13px;line-height:20px;margin:0 0 12px;color:#6b7078\">{}</p>",
                escape(text)
            ),
            Block::Button(label, link) => writeln!(
                body,
                "<p style=\"margin:24px 0\"><a href=\"{link}\" style=\"{FONT};display:inline-block;padding:11px \
                 20px;border-radius:6px;background:#2f5fd0;color:#ffffff;font-size:15px;font-weight:600;\
                 text-decoration:none\">{label}</a></p>\n<p style=\"{FONT};font-size:13px;line-height:20px;\
                 margin:0 0 16px;color:#6b7078\">If the button does nothing, open this address:<br>\
                 <a href=\"{link}\" style=\"color:#2f5fd0;word-break:break-all\">{link}</a></p>",
                link = escape(link),
                label = escape(label),
            ),
            Block::Code(code) => writeln!(
                body,
                "<p style=\"font-family:ui-monospace,Menlo,Consolas,monospace;font-size:28px;line-height:36px;\
                 letter-spacing:4px;margin:0 0 16px;font-weight:600\">{}</p>",
                escape(code)
            ),
            Block::Facts(facts) => {
                let rows: String = facts
                    .iter()
                    .map(|(name, value)| {
                        format!(
                            "<tr><td style=\"{FONT};font-size:14px;line-height:22px;padding:2px 16px 2px 0;\
                             color:#6b7078;vertical-align:top;white-space:nowrap\">{name}</td><td \
                             style=\"{FONT};font-size:14px;line-height:22px;padding:2px 0\">{}</td></tr>",
                            escape(value)
                        )
                    })
                    .collect();
                writeln!(
                    body,
                    "<table role=\"presentation\" style=\"margin:0 0 16px;border-collapse:collapse\">{rows}</table>"
                )
            }
        };
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title></head>\n\
         <body style=\"margin:0;padding:0\"><div style=\"max-width:560px;margin:0 auto;padding:32px 20px\">\n\
         {body}<hr style=\"border:0;border-top:1px solid #d5d8dd;margin:24px 0 12px\">\n\
         <p style=\"{FONT};font-size:12px;line-height:18px;margin:0;color:#6b7078\">{CLOSING}</p>\n\
         </div></body></html>\n",
        title = escape(&words.subject),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words {
            subject: "<b>“Été” & co</b>".to_owned(),
            blocks: vec![
                Block::Text("word ".repeat(40)),
                Block::Button("Open <it>".to_owned(), "https://x.example/a?b=\"c\"#t".to_owned()),
                Block::Code("123456".to_owned()),
                Block::Facts(vec![("Name", "a\r\nFrom: somebody <script>".to_owned())]),
                Block::Small("small".to_owned()),
            ],
        }
    }

    #[test]
    fn plain_text_has_short_lines_and_whole_addresses() {
        let text = plain(&words());
        assert!(text.lines().all(|line| line.chars().count() <= LINE), "{text}");
        assert!(text.contains("\nhttps://x.example/a?b=\"c\"#t\n"), "{text}");
        assert!(text.contains("Name: a From: somebody <script>"), "{text}");
    }

    #[test]
    fn html_holds_no_markup_of_others_and_loads_nothing() {
        let text = html(&words());
        assert!(
            text.contains("&lt;b&gt;“Été” &amp; co&lt;/b&gt;") && text.contains("Open &lt;it&gt;"),
            "{text}"
        );
        for forbidden in ["<script", "<img", "<link", "<style", "url(", "src=", "@import", "b=\"c\""] {
            assert!(!text.contains(forbidden), "{forbidden}: {text}");
        }
    }
}
