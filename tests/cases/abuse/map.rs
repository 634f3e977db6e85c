//! `docs/SECURITY.md` answers every requirement of ASVS 5.0 levels 1 and 2 once, and cites only what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Number and level of every requirement, from the standard's own list.
const REQUIREMENTS: &str = include_str!("asvs-5.0.txt");
/// What is said of a requirement.
const STATUSES: [&str; 3] = ["met", "not applicable", "not met"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Names of all Rust tests: functions below an attribute that makes them one.
fn tests_below(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            let skipped = ["target", "node_modules", "corpus", ".git"];
            if !skipped.iter().any(|name| path.ends_with(name)) {
                tests_below(&path, names);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                if line == "#[test]" || line.starts_with("#[tokio::test") {
                    is_test = true;
                } else if let Some((_, rest)) = line.split_once("fn ")
                    && is_test
                {
                    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                    let _ = names.insert(name.to_owned());
                    is_test = false;
                }
            }
        }
    }
}

/// One requirement's row.
struct Row {
    id: String,
    level: String,
    status: String,
    place: String,
}

fn rows(text: &str) -> Vec<Row> {
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let is_row = |line: &&str| line.starts_with("| V") && line[3..].starts_with(|c: char| c.is_ascii_digit());
    text.lines()
        .filter(is_row)
        .map(|line| {
            let cells: Vec<String> = cells(line);
            assert_eq!(cells.len(), 5, "{line}");
            let id = cells[0].trim_start_matches('V').to_owned();
            let [level, _, status, place] = [1, 2, 3, 4].map(|place: usize| cells[place].clone());
            Row { id, level, status, place }
        })
        .collect()
}

#[test]
fn every_requirement_is_answered_once_and_what_is_cited_exists() {
    let root = root();
    let text = fs::read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let mut tests = BTreeSet::new();
    for directory in ["services", "tests"] {
        tests_below(&root.join(directory), &mut tests);
    }
    assert!(tests.len() > 400, "{}", tests.len());
    let expected: Vec<(&str, &str)> = REQUIREMENTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    assert_eq!(expected.len(), 253, "70 of level 1 and 183 of level 2");
    let rows = rows(&text);
    let answered: Vec<(&str, &str)> = rows.iter().map(|row| (row.id.as_str(), row.level.as_str())).collect();
    assert_eq!(answered, expected, "each once, in the standard's order, with its level");

    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in &rows {
        if !STATUSES.contains(&row.status.as_str()) {
            wrong.push(format!("V{}: what is {:?}?", row.id, row.status));
        }
        *counts.entry((&row.status, &row.level)).or_default() += 1;
        let cited: Vec<&str> = row.place.split('`').skip(1).step_by(2).collect();
        for citation in &cited {
            let is_test = tests.contains(*citation);
            let is_path = !citation.is_empty() && root.join(citation).exists();
            if !is_test && !is_path {
                wrong.push(format!("V{}: neither a test nor a file: {citation}", row.id));
            }
        }
        if row.status == "met" && cited.is_empty() {
            wrong.push(format!("V{}: met where?", row.id));
        }
        if row.place.chars().count() < 12 {
            wrong.push(format!("V{}: why?", row.id));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    for status in STATUSES {
        let of = |level: &str| counts.get(&(status, level)).copied().unwrap_or_default();
        println!("ASVS 5.0, {status}: {} of level 1, {} of level 2", of("1"), of("2"));
        // The figures at the top of the page are these.
        let line = format!("| {status} | {} | {} | {} |", of("1"), of("2"), of("1") + of("2"));
        assert!(text.contains(&line), "{line}");
    }
}
