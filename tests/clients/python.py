import sys

import requests

base = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:9000"
answer = requests.post(f"{base}/models/iris/predict", json={"X": [[5.1, 3.5, 1.4, 0.2]]}, timeout=10)
answer.raise_for_status()
print(answer.json()["y"])
