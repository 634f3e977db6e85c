//! Personal data, on the server: taking it along, erasing it, and erasing again after a backup was restored.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use kinora_store::audit::{self, Act, PERSON};
use kinora_store::privacy::erasures::{self, Erasure};
use kinora_store::privacy::export::{self, FORMAT, Place, VERSION};
use kinora_store::privacy::held::Extent;
use kinora_store::{StoreError, rescue};

use crate::administration::{Access, CommandError, end, instant, origin};

/// Most bytes of a list of erasures: some hundred thousand of them.
const LONGEST_LIST: u64 = 256 << 20;

fn failed(error: std::io::Error) -> CommandError {
    CommandError::File(format!("standard output: {error}"))
}

/// `kinoractl person export`
pub(crate) fn export(access: &Access, login: &str) -> Result<ExitCode, CommandError> {
    let mut connection = access.open()?.connector.connect()?;
    let person = rescue::find_person(&mut connection, login)?;
    let origin = origin("person export");
    let act = Act::new("personal_data.exported", PERSON, person, login);
    audit::record_personal(&mut connection, &origin, person, act)?;
    let subject = export::find_subject(&mut connection, person, Extent::Whole)?;
    let mut out = std::io::stdout().lock();
    write!(
        out,
        "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"exported_at\":\"{}\",\"people\":[\n\
         {{\"id\":\"{person}\",\"extent\":\"whole\",\"data\":{{",
        instant(chrono::Utc::now())
    )
    .map_err(failed)?;
    let mut place = Some(Place::default());
    while let Some(from) = place {
        let mut text = String::new();
        place = export::write_part(&mut connection, &subject, &from, &mut text)?;
        out.write_all(text.as_bytes()).map_err(failed)?;
    }
    out.write_all(b"}}]}\n").map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

/// `kinoractl person erase`
pub(crate) fn erase(access: &Access, login: &str, yes: bool, json: bool) -> Result<ExitCode, CommandError> {
    if !yes {
        return Err(CommandError::Argument(format!(
            "this erases {login} for good: account, sessions, names and addresses everywhere. Say --yes if you mean it"
        )));
    }
    let mut connection = access.open()?.connector.connect()?;
    let erased = rescue::erase(&mut connection, &origin("person erase"), login)?;
    if json {
        println!("{}", text_of(&erased)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{login} is erased. What is left stands under the opaque id {}.", erased.stands_for);
    for done in &erased.report {
        println!("{:>8}  {}  {}", done.rows, done.done, done.table);
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(erasure: &Erasure) -> Result<String, CommandError> {
    serde_json::to_string(erasure)
        .map_err(|error| CommandError::Store(StoreError::NotUnderstood(error.to_string())))
}

/// `kinoractl erasure …`
#[derive(Debug, clap::Subcommand)]
pub enum ErasureCommand {
    /// Write the list of erasures to standard output, one JSON document a line; keep it where a restore does not reach
    List {
        #[command(flatten)]
        access: Access,
    },
    /// Erase again whoever is in a list and not erased in the database; after a backup was restored
    Repeat {
        #[command(flatten)]
        access: Access,
        /// What `kinoractl erasure list` wrote; - is standard input [default: the list in the database itself]
        #[arg(value_name = "FILE")]
        list: Option<PathBuf>,
    },
}

/// Runs `kinoractl erasure …`.
pub fn erasure(command: &ErasureCommand) -> ExitCode {
    end(match command {
        ErasureCommand::List { access } => list(access),
        ErasureCommand::Repeat { access, list } => repeat(access, list.as_ref()),
    })
}

fn list(access: &Access) -> Result<ExitCode, CommandError> {
    let mut connection = access.open()?.connector.connect()?;
    let mut out = std::io::stdout().lock();
    for erasure in erasures::list_all(&mut connection)? {
        writeln!(out, "{}", text_of(&erasure)?).map_err(failed)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn repeat(access: &Access, file: Option<&PathBuf>) -> Result<ExitCode, CommandError> {
    let given = file.map(read_list).transpose()?;
    let mut connection = access.open()?.connector.connect()?;
    let list = match given {
        Some(list) => list,
        None => erasures::list_all(&mut connection)?,
    };
    let repeated = erasures::repeat(&mut connection, &origin("erasure repeat"), &list)?;
    println!("{} erased again, {} were erased already.", repeated.erased, repeated.held);
    Ok(ExitCode::SUCCESS)
}

fn read_list(file: &PathBuf) -> Result<Vec<Erasure>, CommandError> {
    let wrong = |error: String| CommandError::File(format!("{}: {error}", file.display()));
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().take(LONGEST_LIST).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(LONGEST_LIST).read_to_string(&mut text))
    };
    read.map_err(|error| wrong(error.to_string()))?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).map_err(|error| wrong(error.to_string())))
        .collect()
}
