import sys
from urllib.parse import urlsplit

import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

address = urlsplit(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:9000")
client = ScoringServerClient(address.hostname, address.port)
print(client.invoke(pd.DataFrame({"x": [1, 2, 3, 4]}))["predictions"])
