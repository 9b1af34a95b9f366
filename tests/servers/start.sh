#!/usr/bin/env bash
# Starts the servers of the storage tests on free ports of the loopback address and writes what a test must know.
#   start.sh DIR      DIR/env: variables to source; DIR/pids: what stop.sh ends; DIR/*.log: the servers' own words
# SeaweedFS speaks S3, Azurite speaks Azure Blob Storage, haproxy makes SeaweedFS look like Google Cloud Storage
# (gcs-shim.cfg) and like an S3 that often fails (faults.cfg). A server counts as up when it has stored and
# given back an object (probe.py).
set -euo pipefail

[ $# = 1 ] || { echo "usage: start.sh DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[ ! -e "$dir/pids" ] || { echo "servers: $dir is in use; run stop.sh $dir first" >&2; exit 2; }

# one key pair and one account for all; nothing here guards anything
export AWS_ACCESS_KEY_ID=testkey AWS_SECRET_ACCESS_KEY=testsecret
azure_account=devstoreaccount1
# the key that every Azurite ships with, published in Microsoft's documentation
azure_key=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==

installed=$("$here/install.sh")
{ read -r weed; read -r azurite_blob; } <<<"$installed"
PATH=$PATH:/usr/sbin

# all sockets are open at once, so that the ports differ
ports() {
  python3 -c '
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))' "$1"
}
read -r s3 s3_grpc master master_grpc volume volume_grpc filer filer_grpc admin admin_grpc azure gcs faults < <(ports 13)

# remembers the start time beside the id: stop.sh must not meet a stranger who was given the same id later
launch() {
  local name=$1
  shift
  nohup "$@" >"$dir/$name.log" 2>&1 </dev/null &
  echo "$name $! $(sed 's/.*) //' "/proc/$!/stat" | cut -d' ' -f20)" >>"$dir/pids"
  disown
}

# whatever fails from here on leaves nothing running
trap '[ $? = 0 ] || "$here/stop.sh" "$dir"' EXIT

cat >"$dir/s3.json" <<JSON
{
  "identities": [
    {
      "name": "test",
      "credentials": [{ "accessKey": "$AWS_ACCESS_KEY_ID", "secretKey": "$AWS_SECRET_ACCESS_KEY" }],
      "actions": ["Admin", "Read", "Write", "List", "Tagging"]
    },
    { "name": "anonymous", "actions": ["Read:lakeveil-gcs", "Write:lakeveil-gcs", "List:lakeveil-gcs"] }
  ]
}
JSON
# SeaweedFS leaves these behind when it is killed
for socket in admin-grpc-"$admin_grpc" filer-"$filer" filer-grpc-"$filer_grpc" master-grpc-"$master_grpc" \
  s3-"$s3" s3-grpc-"$s3_grpc" volume-grpc-"$volume_grpc"; do
  echo "/tmp/seaweedfs-$socket.sock"
done >"$dir/sockets"
mkdir -p "$dir/seaweedfs"
TMPDIR=$dir/seaweedfs launch seaweedfs "$weed" mini -dir="$dir/seaweedfs" \
  -ip=127.0.0.1 -ip.bind=127.0.0.1 -s3.config="$dir/s3.json" \
  -s3.port="$s3" -s3.port.grpc="$s3_grpc" -s3.port.iceberg=0 -s3.port.lance=0 \
  -master.port="$master" -master.port.grpc="$master_grpc" \
  -volume.port="$volume" -volume.port.grpc="$volume_grpc" \
  -filer.port="$filer" -filer.port.grpc="$filer_grpc" \
  -admin.port="$admin" -admin.port.grpc="$admin_grpc" -admin.ui=false -webdav=false -master.telemetry=false

launch azurite "$azurite_blob" --silent --inMemoryPersistence \
  --blobHost 127.0.0.1 --blobPort "$azure" --skipApiVersionCheck --disableTelemetry

export LAKEVEIL_S3_PORT=$s3 LAKEVEIL_GCS_PORT=$gcs LAKEVEIL_FAULTS_PORT=$faults
launch gcs-shim haproxy -db -f "$here/gcs-shim.cfg"
launch faults haproxy -db -f "$here/faults.cfg"

cat >"$dir/gcs-service-account.json" <<JSON
{
  "gcs_base_url": "http://127.0.0.1:$gcs",
  "disable_oauth": true,
  "client_email": "",
  "private_key": "",
  "private_key_id": ""
}
JSON

cat >"$dir/env.new" <<ENV
# S3: SeaweedFS
export LAKEVEIL_TEST_S3=s3://lakeveil-test/run
export LAKEVEIL_TEST_S3_FAULTS_ENDPOINT=http://127.0.0.1:$faults
export AWS_ENDPOINT_URL=http://127.0.0.1:$s3
export AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID
export AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY
export AWS_REGION=us-east-1
export AWS_ALLOW_HTTP=true
# Azure Blob Storage: Azurite
export LAKEVEIL_TEST_AZURE=az://lakeveil-test/run
export AZURE_STORAGE_USE_EMULATOR=true
export AZURITE_BLOB_STORAGE_URL=http://127.0.0.1:$azure
export AZURE_STORAGE_ACCOUNT_NAME=$azure_account
export AZURE_STORAGE_ACCOUNT_KEY=$azure_key
# Google Cloud Storage: SeaweedFS behind gcs-shim.cfg
export LAKEVEIL_TEST_GCS=gs://lakeveil-gcs/run
export GOOGLE_SERVICE_ACCOUNT='$dir/gcs-service-account.json'
ENV
(
  # shellcheck disable=SC1091
  . "$dir/env.new"
  python3 "$here/probe.py"
)
mv "$dir/env.new" "$dir/env"
echo "servers: up; source $dir/env" >&2
