//! Logging: records of the `log` facade with key-values go to the systemd journal as fields of their
//! own (`run_id` as `KINORA_RUN_ID`) when this process's standard error is the journal, and else to
//! standard error as readable lines (UTC time, level, target, message, `key=value`).
//! `docs/LOGGING.md` lists the fields, and what must never be logged.

use std::fmt::Write as _;
use std::io::Write as _;
use std::str::FromStr;

use chrono::{SecondsFormat, Utc};
use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// Which records are kept: a level, and levels for targets that differ from it, as in
/// `info,kinora_bus=debug`. The longest matching target prefix decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    default: LevelFilter,
    /// Longest prefix first.
    targets: Vec<(String, LevelFilter)>,
}

/// Text that is no [`LogFilter`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a log level: off, error, warn, info, debug or trace, optionally followed by ',target=level'"
)]
pub struct LogFilterError(String);

impl FromStr for LogFilter {
    type Err = LogFilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let level = |name: &str| name.trim().parse().map_err(|_| LogFilterError(name.trim().to_owned()));
        let mut filter = Self { default: LevelFilter::Info, targets: Vec::new() };
        for part in text.split(',') {
            match part.split_once('=') {
                Some((target, name)) => filter.targets.push((target.trim().to_owned(), level(name)?)),
                None => filter.default = level(part)?,
            }
        }
        filter.targets.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        Ok(filter)
    }
}

impl<'de> serde::Deserialize<'de> for LogFilter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl LogFilter {
    fn level_of(&self, target: &str) -> LevelFilter {
        let is_within = |prefix: &str| {
            target.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        // Libraries do not know what must not be logged, and say more than they should at debug: that
        // has to be asked for by their name.
        let is_ours = target.starts_with("kinora") || target == "panic";
        let default = if is_ours { self.default } else { self.default.min(LevelFilter::Info) };
        self.targets.iter().find(|(prefix, _)| is_within(prefix)).map_or(default, |(_, level)| *level)
    }

    fn most(&self) -> LevelFilter {
        self.targets.iter().map(|(_, level)| *level).fold(self.default, Ord::max)
    }
}

/// A sink that drops what the filter does not let through. The journal's own logger filters nothing.
struct Filtered<L> {
    filter: LogFilter,
    sink: L,
}

impl<L: Log> Log for Filtered<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.filter.level_of(metadata.target())
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.sink.log(record);
        }
    }

    fn flush(&self) {
        self.sink.flush();
    }
}

/// What the names of all our fields in the journal begin with, so that none can be taken for one of
/// systemd's (`MESSAGE`, `PRIORITY`, `UNIT`, …).
const FIELD_PREFIX: &str = "KINORA_";

/// The journal, with our names for the fields.
struct Journal<L>(L);

impl<L: Log> Log for Journal<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let mut fields = Fields(Vec::new());
        // Collecting cannot fail.
        let _ = record.key_values().visit(&mut fields);
        let fields = fields.0;
        self.0.log(&record.to_builder().key_values(&fields).build());
    }

    fn flush(&self) {
        self.0.flush();
    }
}

struct Fields(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        self.0.push((format!("{FIELD_PREFIX}{}", key.as_str().to_ascii_uppercase()), value.to_string()));
        Ok(())
    }
}

/// Readable lines on standard error.
struct StderrLog;

impl Log for StderrLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format_line(record, &Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true));
        // One write for a line, so that lines of several threads do not mix. If standard error is
        // gone there is nobody left to tell.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}

struct Pairs<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let text = value.to_string();
        let is_plain =
            !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"');
        let _ = if is_plain { write!(self.0, " {key}={text}") } else { write!(self.0, " {key}={text:?}") };
        Ok(())
    }
}

/// One line; control characters in the message are escaped, so that nobody can forge a second one.
fn format_line(record: &Record<'_>, time: &str) -> String {
    let mut line = format!("{time} {:<5} {}: ", record.level(), record.target());
    for character in record.args().to_string().chars() {
        match character {
            '\t' => line.push('\t'),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    let _ = record.key_values().visit(&mut Pairs(&mut line));
    line.push('\n');
    line
}

/// Installs the logger and a panic hook that logs. A second call changes nothing.
///
/// `identifier` is what the journal shows as the program (`SYSLOG_IDENTIFIER`).
pub fn install(filter: &LogFilter, identifier: &str) {
    let most = filter.most();
    let filter = filter.clone();
    let journal = connected_to_journal().then(JournalLog::new).and_then(Result::ok);
    let logger: Box<dyn Log> = match journal {
        Some(journal) => {
            let sink = Journal(journal.with_syslog_identifier(identifier.to_owned()));
            Box::new(Filtered { filter, sink })
        }
        None => Box::new(Filtered { filter, sink: StderrLog }),
    };
    if log::set_boxed_logger(logger).is_err() {
        return;
    }
    log::set_max_level(most);
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text =
            text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        let backtrace = std::backtrace::Backtrace::capture().to_string();
        log::error!(target: "panic", place, thread, backtrace; "{text}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use log::Level;

    #[test]
    fn the_longest_matching_target_decides() {
        let filter: LogFilter = "warn,kinora_bus=debug,kinora_bus::consumer=off".parse().unwrap();
        assert_eq!(filter.level_of("kinora_bus"), LevelFilter::Debug);
        assert_eq!(filter.level_of("kinora_bus::publisher"), LevelFilter::Debug);
        assert_eq!(filter.level_of("kinora_bus::consumer"), LevelFilter::Off);
        assert_eq!(filter.level_of("kinora_bush"), LevelFilter::Warn);
        assert_eq!(filter.most(), LevelFilter::Debug);
        let filter: LogFilter = "debug,lapin=trace".parse().unwrap();
        assert_eq!(filter.level_of("kinora_bus"), LevelFilter::Debug);
        assert_eq!(filter.level_of("actix_web::data"), LevelFilter::Info, "it repeats addresses");
        assert_eq!(filter.level_of("lapin::channel"), LevelFilter::Trace, "asked for by name");
        assert!("loud".parse::<LogFilter>().is_err());
        assert!("info,x=loud".parse::<LogFilter>().is_err());
    }

    /// Keeps the fields of what is logged.
    #[derive(Default)]
    struct Kept(std::sync::Mutex<Vec<(String, String)>>);

    impl Log for &Kept {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            struct All<'a>(&'a mut Vec<(String, String)>);
            impl<'kvs> VisitSource<'kvs> for All<'_> {
                fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
                    self.0.push((key.to_string(), value.to_string()));
                    Ok(())
                }
            }
            record.key_values().visit(&mut All(&mut self.0.lock().unwrap())).unwrap();
        }

        fn flush(&self) {}
    }

    #[test]
    fn fields_have_names_of_their_own_in_the_journal() {
        let kept = Kept::default();
        let pairs = [
            ("request_id", Value::from("r")),
            ("person_id", Value::from("p")),
            ("production_id", Value::from("q")),
            ("run_id", Value::from("n")),
            ("step", Value::from("render")),
            ("asset_id", Value::from("a")),
            ("attempt", Value::from(2)),
            ("duration_ms", Value::from(17_u64)),
            ("message", Value::from("not the MESSAGE")),
        ];
        Journal(&kept).log(&Record::builder().args(format_args!("x")).key_values(&pairs).build());
        let names: Vec<_> = kept.0.lock().unwrap().iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(
            names,
            [
                "KINORA_REQUEST_ID",
                "KINORA_PERSON_ID",
                "KINORA_PRODUCTION_ID",
                "KINORA_RUN_ID",
                "KINORA_STEP",
                "KINORA_ASSET_ID",
                "KINORA_ATTEMPT",
                "KINORA_DURATION_MS",
                "KINORA_MESSAGE",
            ]
        );
        assert_eq!(kept.0.lock().unwrap()[7].1, "17");
    }

    #[test]
    fn lines_carry_their_fields_and_cannot_be_forged() {
        let pairs = [("run_id", Value::from("01J")), ("reason", Value::from("no space left"))];
        let line = format_line(
            &Record::builder()
                .level(Level::Warn)
                .target("kinora_backend")
                .args(format_args!("a\nb"))
                .key_values(&pairs)
                .build(),
            "T",
        );
        assert_eq!(line, "T WARN  kinora_backend: a\\nb run_id=01J reason=\"no space left\"\n");
    }
}
