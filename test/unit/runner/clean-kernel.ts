/** A cell that prints, as JSON, what would tell a kernel that was not started anew from one that was. */
export const SNAPSHOT = `
import json, os, random, sys
print(json.dumps({
    'environ': {name: value for name, value in os.environ.items() if name != 'JPY_PARENT_PID'},
    'path': sys.path, 'modules': sorted(sys.modules), 'cwd': os.getcwd(), 'names': sorted(globals()),
    'history': In, 'out': {str(k): str(v) for k, v in Out.items()},
    'count': get_ipython().execution_count, 'argv': sys.argv[:1],
    'threads': sorted(t.name for t in __import__('threading').enumerate()),
}))`;

/** Prints the state of \`random\`. Seeded anew in each process: equal states would mean that somebody has chosen them. */
export const RANDOM = 'import random\nprint(random.getstate()[1][:-1])';
