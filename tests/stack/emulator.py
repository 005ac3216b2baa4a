"""Starts ministack 1.5.33 with one correction: SAM sees the values of parameters, as in CloudFormation.

ministack translates a template with the defaults of its parameters, so that a new ReleaseSha would publish no version.
"""

import copy
import sys

from ministack.app import main
from ministack.services.cloudformation import engine

translate = engine._apply_transforms


def translate_with_values(template, provided_params=None, previous_params=None):
    template = copy.deepcopy(template)
    for name, value in engine._transform_parameters(template, provided_params, previous_params).items():
        if "Default" in template["Parameters"].get(name, {}):
            template["Parameters"][name]["Default"] = value
    return translate(template, provided_params, previous_params)


for module in list(sys.modules.values()):
    if getattr(module, "_apply_transforms", None) is translate:
        module._apply_transforms = translate_with_values

if __name__ == "__main__":
    sys.exit(main())
