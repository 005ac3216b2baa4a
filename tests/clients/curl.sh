base=${1:-http://localhost:9000}
curl --fail --silent --json '{"X": [[5.1, 3.5, 1.4, 0.2]]}' "$base/models/iris/predict"
