import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput

base = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:9000"
flowers = np.array([[5.1, 3.5, 1.4, 0.2]])
tensor = InferInput("X", list(flowers.shape), "FP64").set_data_from_numpy(flowers)
answer = InferenceServerClient(base.removeprefix("http://")).infer("iris", [tensor])
print(answer.as_numpy("predict"))
