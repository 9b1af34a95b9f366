"""`lake/patients/`: stays of invented patients in an invented hospital.

A patient has one to six stays. Some are over 90, some live where few people do (by the first three digits of a ZIP
code, as HIPAA's Safe Harbor counts). Notes hold e-mail addresses, telephone numbers and record numbers; they hold no
names, because nothing here can find those.
"""

import datetime
import decimal

import people
import pyarrow as pa
import pyarrow.parquet as pq

UTC = datetime.UTC
# the values that testdata/hierarchy/diagnoses.csv lists
DIAGNOSES = ["E11.9", "E10.9", "I10", "I21.9", "J45.9", "J06.9", "F32.1", "M54.5"]
# first three digits of ZIP codes: areas of at most 20 000 people in the census of 2000, and larger ones
SMALL_AREAS = ["036", "059", "102", "203", "556", "692", "821", "893"]
LARGE_AREAS = ["021", "100", "331", "606", "770", "900", "981"]
PHYSICIANS = ["Dr. Ada Example", "Dr. Bo Sample", "Dr. Cy Placeholder", "Dr. Di Fictitious"]
SCHEMA = pa.schema(
    [
        ("stay_id", pa.int64()),
        ("patient_id", pa.string()),
        ("full_name", pa.string()),
        ("birth_date", pa.date32()),
        ("sex", pa.dictionary(pa.int8(), pa.string())),
        ("postal_code", pa.string()),
        ("physician", pa.string()),
        ("admitted_on", pa.date32()),
        ("discharged_on", pa.date32()),
        ("recorded_at", pa.timestamp("us", "UTC")),
        ("diagnosis", pa.string()),
        ("glucose", pa.decimal128(6, 2)),
        ("notes", pa.string()),
    ]
)


def patient(rng, number):
    born = datetime.date(1926, 1, 1) + datetime.timedelta(days=rng.randrange(97 * 365))
    if number % 10 == 0:
        born = datetime.date(1926 + rng.randrange(8), rng.randrange(1, 13), rng.randrange(1, 29))
    area = rng.choice(SMALL_AREAS if number % 4 == 0 else LARGE_AREAS)
    given, family = people.NAMES[rng.randrange(len(people.NAMES))]
    return {
        "patient_id": f"P-{number:05}",
        "full_name": f"{given} {family}",
        "birth_date": born,
        "sex": rng.choice(["f", "m", "x"]),
        "postal_code": None if rng.random() < 0.05 else f"{area}{rng.randrange(100):02}",
    }


def notes(rng, who):
    number = who["patient_id"]
    return rng.choice(
        [
            None,
            "",
            "sleeps well, no complaints",
            f"asked to be called at +1 202-555-01{rng.randrange(100):02} after 6 pm",
            f"record {number} was merged by mistake, see also {number}",
            f"daughter writes from kin{number[-3:]}@example.org, answer by post",
            f"sent results to kin{number[-3:]}@example.com and (202) 555-01{rng.randrange(100):02}",
        ]
    )


def stay(rng, number, who):
    admitted = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(700))
    discharged = admitted + datetime.timedelta(days=rng.randrange(15))
    midnight = datetime.datetime.combine(discharged, datetime.time(), UTC)
    return {
        **who,
        "stay_id": 700001 + number,
        "physician": rng.choice(PHYSICIANS),
        "admitted_on": admitted,
        "discharged_on": None if rng.random() < 0.05 else discharged,
        "recorded_at": midnight + datetime.timedelta(seconds=rng.randrange(86400), microseconds=rng.randrange(10**6)),
        "diagnosis": rng.choice(DIAGNOSES),
        "glucose": None if rng.random() < 0.1 else decimal.Decimal(rng.randrange(300, 2000)).scaleb(-2),
        "notes": notes(rng, who),
    }


def write(folder, rng):
    """200 stays of 60 patients; a patient's stays lie in both files."""
    folder.mkdir()
    patients = [patient(rng, number) for number in range(1, 61)]
    stays = [stay(rng, i, patients[i] if i < len(patients) else rng.choice(patients)) for i in range(200)]
    rng.shuffle(stays)
    table = pa.Table.from_pylist(stays, SCHEMA)
    pq.write_table(table[:110], folder / "patients-1.parquet", compression="snappy", row_group_size=40)
    pq.write_table(table[110:], folder / "patients-2.parquet", compression="zstd", data_page_version="2.0")
