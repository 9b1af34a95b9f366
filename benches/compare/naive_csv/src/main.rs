//! The comparison's job on CSV as one writes it first: the `csv` crate, record by record, in order.
//!
//! `naive_csv SOURCE SINK THREADS COLUMN=HEXKEY...` rewrites every `.csv` file of the folder SOURCE into SINK, with a
//! thread for each of up to THREADS files at a time. The named columns become the first 128 bits of HMAC-SHA256 in hex.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, fs, process, thread};

use csv::{ByteRecord, Reader, Writer};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// 128 bits.
const TOKEN_BYTES: usize = 16;
const HEX: &[u8; 16] = b"0123456789abcdef";

type Failure = Box<dyn Error + Send + Sync>;
type Keys = Vec<(String, Hmac<Sha256>)>;

fn main() {
    if let Err(error) = run() {
        eprintln!("naive_csv: {error}");
        process::exit(1);
    }
}

fn run() -> Result<(), Failure> {
    let mut args = env::args().skip(1);
    let mut next = || args.next().ok_or("SOURCE SINK THREADS COLUMN=HEXKEY...");
    let (source, sink, threads) = (PathBuf::from(next()?), PathBuf::from(next()?), next()?.parse::<usize>()?);
    let keys = args.map(|arg| parse_key(&arg)).collect::<Result<Keys, _>>()?;
    fs::create_dir_all(&sink)?;
    let mut files = fs::read_dir(source)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Failure>>()?;
    files.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    files.sort();

    let queue = Mutex::new(files.into_iter());
    thread::scope(|scope| {
        let worker = || -> Result<(), Failure> {
            loop {
                let Some(path) = queue.lock().map_err(|_| "another thread panicked")?.next() else { return Ok(()) };
                rewrite(&path, &sink.join(path.file_name().ok_or("a file without a name")?), &keys)?;
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a thread panicked")?)
    })
}

fn parse_key(arg: &str) -> Result<(String, Hmac<Sha256>), Failure> {
    let (column, hex) = arg.split_once('=').ok_or("a key is COLUMN=HEXKEY")?;
    let key = (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2).ok_or("keys are hex")?, 16).map_err(Failure::from))
        .collect::<Result<Vec<u8>, _>>()?;
    Ok((column.to_owned(), Hmac::new_from_slice(&key)?))
}

fn rewrite(source: &Path, sink: &Path, keys: &Keys) -> Result<(), Failure> {
    let mut reader = Reader::from_path(source)?;
    let mut writer = Writer::from_path(sink)?;
    let header = reader.byte_headers()?.clone();
    writer.write_byte_record(&header)?;
    let macs: Vec<Option<&Hmac<Sha256>>> = header
        .iter()
        .map(|name| keys.iter().find(|(column, _)| column.as_bytes() == name).map(|(_, mac)| mac))
        .collect();

    let mut record = ByteRecord::new();
    let mut token = Vec::with_capacity(2 * TOKEN_BYTES);
    while reader.read_byte_record(&mut record)? {
        for (field, mac) in record.iter().zip(&macs) {
            let Some(mac) = mac else {
                writer.write_field(field)?;
                continue;
            };
            let mut mac = Hmac::clone(mac);
            mac.update(field);
            token.clear();
            for byte in &mac.finalize().into_bytes()[..TOKEN_BYTES] {
                token.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            writer.write_field(&token)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()?;
    Ok(())
}
