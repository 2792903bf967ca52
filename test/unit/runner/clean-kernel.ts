/** A cell that prints, as JSON, everything that would distinguish a reused kernel from a new one. */
export const SNAPSHOT = `
import json, os, random, sys
print(json.dumps({
    'environ': {name: value for name, value in os.environ.items() if name != 'JPY_PARENT_PID'},
    'path': sys.path, 'modules': sorted(sys.modules), 'cwd': os.getcwd(), 'names': sorted(globals()),
    'history': In, 'out': {str(k): str(v) for k, v in Out.items()},
    'count': get_ipython().execution_count, 'argv': sys.argv[:1],
    'threads': sorted(t.name for t in __import__('threading').enumerate()),
}))`;

/** Prints the state of \`random\`. It is seeded in each process, so equal states would mean a shared seed. */
export const RANDOM = 'import random\nprint(random.getstate()[1][:-1])';
