"""Waits for the test servers, makes their buckets, and stores and reads back one object in each.

Reads the variables that start.sh writes. Only the standard library: the two signatures are AWS Signature Version 4
and Azure Shared Key, so that a server that answers but refuses signed requests does not count as up.
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# what storage code gets wrong: per cent, plus, space, equals, quote, non-ASCII
KEY = "run/probe/%41+a b/k=v/it's é.csv"
BODY = "żółw\n".encode()
PATIENCE_SECONDS = 60


def send(method, url, headers, body=b""):
    """Status and body; an HTTP error is an answer like any other."""
    request = urllib.request.Request(url, data=body if method == "PUT" else None, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256)


def s3(method, path, body=b"", endpoint=None, extra=None):
    """One request signed with AWS Signature Version 4."""
    endpoint = endpoint or os.environ["AWS_ENDPOINT_URL"]
    region = os.environ["AWS_REGION"]
    path = urllib.parse.quote(path, safe="/-_.~")
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": endpoint.split("//")[1],
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": now,
        **(extra or {}),
    }
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [method, path, "", *(f"{k}:{headers[k]}" for k in sorted(headers)), "", names, headers["x-amz-content-sha256"]]
    )
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac_sha256(key, part).digest()
    signature = hmac_sha256(key, to_sign).hexdigest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return send(method, endpoint + path, {**headers, "authorization": authorization}, body)


def azure(method, path, body=b"", query=""):
    """One request signed with Azure's Shared Key."""
    account = os.environ["AZURE_STORAGE_ACCOUNT_NAME"]
    path = f"/{account}{urllib.parse.quote(path, safe='/-_.~')}"
    now = datetime.datetime.now(datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"x-ms-date": now, "x-ms-version": "2021-12-02", "x-ms-blob-type": "BlockBlob"}
    content_type = "application/octet-stream" if method == "PUT" else ""
    if content_type:
        headers["content-type"] = content_type
    canonical_headers = "".join(f"{k}:{headers[k]}\n" for k in sorted(headers) if k.startswith("x-ms-"))
    resource = f"/{account}{path}" + "".join(
        f"\n{pair.replace('=', ':', 1)}" for pair in sorted(query.split("&")) if pair
    )
    length = str(len(body)) if body else ""
    to_sign = "\n".join([method, "", "", length, "", content_type, *[""] * 6, canonical_headers + resource])
    key = base64.b64decode(os.environ["AZURE_STORAGE_ACCOUNT_KEY"])
    signature = base64.b64encode(hmac_sha256(key, to_sign).digest()).decode()
    headers["authorization"] = f"SharedKey {account}:{signature}"
    url = os.environ["AZURITE_BLOB_STORAGE_URL"] + path + (f"?{query}" if query else "")
    return send(method, url, headers, body)


def gcs(method, path, body=b"", extra=None):
    """One request as object_store's GCS client sends it: a bearer token that the shim takes away."""
    with open(os.environ["GOOGLE_SERVICE_ACCOUNT"]) as file:
        base = json.load(file)["gcs_base_url"]
    headers = {"authorization": "Bearer ", "content-type": "application/octet-stream", **(extra or {})}
    return send(method, base + urllib.parse.quote(path, safe="/-_.~"), headers, body)


def until(what, attempt, accepted):
    """Repeats `attempt` until its status is one of `accepted`."""
    end = time.monotonic() + PATIENCE_SECONDS
    last = "no answer"
    while time.monotonic() < end:
        try:
            status, body = attempt()
            if status in accepted:
                return body
            last = f"status {status}: {body[:300]!r}"
        except OSError as error:
            last = str(error)
        time.sleep(0.2)
    sys.exit(f"servers: {what} failed for {PATIENCE_SECONDS} s; the last time: {last}")


def container(variable):
    return urllib.parse.urlsplit(os.environ[variable]).netloc


def round_trip(what, client, bucket, put_headers=None):
    path = f"/{bucket}/{KEY}"
    put = {"extra": put_headers} if put_headers else {}
    until(f"{what} put", lambda: client("PUT", path, BODY, **put), {200, 201})
    if put_headers:
        until(f"{what} refusal of a second create", lambda: client("PUT", path, BODY, **put), {412})
    body = until(f"{what} get", lambda: client("GET", path), {200})
    if body != BODY:
        sys.exit(f"servers: {what} stored {len(BODY)} bytes and gave back {len(body)} others")
    until(f"{what} delete", lambda: client("DELETE", path), {200, 202, 204})


def main():
    s3_bucket, gcs_bucket = container("LAKEVEIL_TEST_S3"), container("LAKEVEIL_TEST_GCS")
    azure_container = container("LAKEVEIL_TEST_AZURE")
    for bucket in (s3_bucket, gcs_bucket):
        until(f"S3 CreateBucket {bucket}", lambda bucket=bucket: s3("PUT", f"/{bucket}"), {200, 409})
    round_trip("S3", s3, s3_bucket)
    round_trip("GCS shim", gcs, gcs_bucket, {"x-goog-if-generation-match": "0"})

    def create():
        return azure("PUT", f"/{azure_container}", query="restype=container")

    until(f"Azure container {azure_container}", create, {201, 409})
    round_trip("Azure", azure, azure_container)

    faults = os.environ["LAKEVEIL_TEST_S3_FAULTS_ENDPOINT"]
    until("S3 behind faults", lambda: s3("GET", f"/{s3_bucket}", endpoint=faults), {200})


if __name__ == "__main__":
    main()
