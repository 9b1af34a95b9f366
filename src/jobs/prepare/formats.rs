//! Formats and codecs: from the policy's words to the engine's.

use parquet::basic::{BrotliLevel, Compression as ParquetCodec, GzipLevel, ZstdLevel};

use crate::engine::csv::Codec;
use crate::engine::discover::{Compression, ObjectFormat, SinkFormat};
use crate::engine::parquet::values::TextEncoding;
use crate::policy::{CsvCompression, Format, ParquetCompression, ParquetEncoding, Policy};

pub(super) fn sink_format(policy: &Policy, input: ObjectFormat) -> SinkFormat {
    let csv = SinkFormat::Csv(match policy.sink.csv.compression {
        CsvCompression::None => Compression::None,
        CsvCompression::Gzip => Compression::Gzip,
        CsvCompression::Zstd => Compression::Zstd,
    });
    match (policy.sink.format, input) {
        (Some(Format::Parquet), _) | (None, ObjectFormat::Parquet) => SinkFormat::Parquet,
        _ => csv,
    }
}

pub(super) fn csv_codec(policy: &Policy) -> Option<Codec> {
    match policy.sink.csv.compression {
        CsvCompression::None => None,
        CsvCompression::Gzip => Some(Codec::Gzip),
        CsvCompression::Zstd => Some(Codec::Zstd),
    }
}

pub(super) fn parquet_codec(compression: ParquetCompression) -> ParquetCodec {
    // the policy has checked the levels
    match compression {
        ParquetCompression::None => ParquetCodec::UNCOMPRESSED,
        ParquetCompression::Snappy => ParquetCodec::SNAPPY,
        ParquetCompression::Lz4 => ParquetCodec::LZ4_RAW,
        ParquetCompression::Gzip(level) => ParquetCodec::GZIP(GzipLevel::try_new(level).unwrap_or_default()),
        ParquetCompression::Brotli(level) => ParquetCodec::BROTLI(BrotliLevel::try_new(level).unwrap_or_default()),
        ParquetCompression::Zstd(level) => ParquetCodec::ZSTD(ZstdLevel::try_new(level as i32).unwrap_or_default()),
    }
}

pub(super) fn text_encoding(encoding: ParquetEncoding) -> TextEncoding {
    match encoding {
        ParquetEncoding::Auto => TextEncoding::Best,
        ParquetEncoding::Plain => TextEncoding::Plain,
    }
}
