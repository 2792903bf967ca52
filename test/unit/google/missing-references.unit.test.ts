import assert from 'node:assert/strict';
import { missingReferences } from '../../../src/google/submission/missing-references';

const FILES = [
  'analysis/sales.ipynb',
  'analysis/helpers.py',
  'analysis/plots/__init__.py',
  'analysis/plots/bars.py',
  'analysis/data/sales.csv',
  'analysis/train.py',
  'shared/tools.py',
  'src/company/models/linear.py',
  'config.yaml',
  'analysis/with space.csv',
];

function found(...sources: string[]): string[] {
  return missingReferences(sources, 'analysis/sales.ipynb', FILES);
}

describe('workspace files that will be missing on Google’s machine', () => {
  const cases: Record<string, [source: string, expected: string[]]> = {
    'a module beside the notebook': ['import helpers', ['helpers']],
    'one of several, renamed': ['import os, helpers as h, json', ['helpers']],
    'names of a module': ['from helpers import (a,\n  b as c)', ['helpers']],
    'a package and a module in it': ['from plots import bars', ['plots', 'plots.bars']],
    'a module in a package': ['import plots.bars as b', ['plots.bars']],
    'a relative import': ['from . import helpers', ['.helpers']],
    'a module of the workspace’s root': ['from shared.tools import x', ['shared.tools']],
    'a namespace package under src': ['import company.models.linear', ['company.models.linear']],
    'an import within a function': ['def f():\n    import helpers\n', ['helpers']],
    'a file that is read': ["pd.read_csv('data/sales.csv')", ['data/sales.csv']],
    'a file above': ['open("../config.yaml")', ['../config.yaml']],
    'a file relative to the workspace': ['open("config.yaml")', ['config.yaml']],
    'a raw string, a name with a space': ["open(r'with space.csv')", ['with space.csv']],
    'a script that is run': ['%run train.py --fast', ['train.py']],
    'a command': ['!python train.py > log && cat data/sales.csv', ['train.py', 'data/sales.csv']],
    'a cell of bash': ['%%bash\ncat data/sales.csv', ['data/sales.csv']],
    'a timed cell is still Python': ['%%time\nimport helpers', ['helpers']],
  };
  for (const [what, [source, expected]] of Object.entries(cases)) {
    it(what, () => {
      assert.deepEqual(found(source), expected);
    });
  }

  const harmless: Record<string, string> = {
    'packages that are installed': 'import numpy as np\nfrom pandas import DataFrame',
    'the notebook itself': 'open("sales.ipynb")',
    'texts in comments': '# import helpers, data/sales.csv',
    'files elsewhere': 'open("gs://bucket/data/sales.csv"); open("/data/sales.csv")',
    'a name put together while it runs': 'open(f"data/{name}.csv")',
    'magics of IPython': '%matplotlib inline\n%load_ext autoreload',
    'broken Python': 'import (\ndef',
    nothing: '',
  };
  for (const [what, source] of Object.entries(harmless)) {
    it(`not ${what}`, () => {
      assert.deepEqual(found(source), []);
    });
  }

  it('reports each once', () => {
    assert.deepEqual(found('x = 1', 'import helpers', 'import helpers'), ['helpers']);
  });

  it('stops at absolute paths, too', () => {
    const files = ['/w/helpers.py', '/w/src/tools.py'];
    const uses = missingReferences(['import helpers, tools'], '/w/a/sales.ipynb', files);
    assert.deepEqual(uses, ['helpers', 'tools']);
  });

  it('scans 2,000 cells and 20,000 files without delay', () => {
    const files = Array.from({ length: 20_000 }, (_, index) => `data/${String(index)}/file.csv`);
    const sources = Array.from({ length: 2000 }, (_, index) => `open("data/${String(index)}/file.csv")`);
    assert.equal(missingReferences(sources, 'n.ipynb', files).length, 2000);
  });
});
