import assert from 'node:assert/strict';
import { missingReferences } from '../../../src/google/missing-references';
import { notebookOf } from './support';

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
  return missingReferences(notebookOf(...sources), 'analysis/sales.ipynb', FILES).map(
    ({ kind, name, path, cell }) => `${String(cell)} ${kind} ${name} -> ${path}`,
  );
}

describe('what of the workspace will not be on Google’s machine', () => {
  const cases: Record<string, [source: string, expected: string[]]> = {
    'a module beside the notebook': ['import helpers', ['0 module helpers -> analysis/helpers.py']],
    'one of several, renamed': ['import os, helpers as h, json', ['0 module helpers -> analysis/helpers.py']],
    'names of a module': ['from helpers import (a,\n  b as c)', ['0 module helpers -> analysis/helpers.py']],
    'a package and a module in it': [
      'from plots import bars',
      ['0 module plots -> analysis/plots/__init__.py', '0 module plots.bars -> analysis/plots/bars.py'],
    ],
    'a module in a package': ['import plots.bars as b', ['0 module plots.bars -> analysis/plots/bars.py']],
    'a relative import': ['from . import helpers', ['0 module .helpers -> analysis/helpers.py']],
    'a module of the workspace’s root': [
      'from shared.tools import x',
      ['0 module shared.tools -> shared/tools.py'],
    ],
    'a namespace package under src': [
      'import company.models.linear',
      ['0 module company.models.linear -> src/company/models/linear.py'],
    ],
    'an import within a function': [
      'def f():\n    import helpers\n',
      ['0 module helpers -> analysis/helpers.py'],
    ],
    'a file that is read': [
      "pd.read_csv('data/sales.csv')",
      ['0 file data/sales.csv -> analysis/data/sales.csv'],
    ],
    'a file above': ['open("../config.yaml")', ['0 file ../config.yaml -> config.yaml']],
    'a file relative to the workspace': ['open("config.yaml")', ['0 file config.yaml -> config.yaml']],
    'a raw string, a name with a space': [
      "open(r'with space.csv')",
      ['0 file with space.csv -> analysis/with space.csv'],
    ],
    'a script that is run': ['%run train.py --fast', ['0 file train.py -> analysis/train.py']],
    'a command': [
      '!python train.py > log && cat data/sales.csv',
      ['0 file train.py -> analysis/train.py', '0 file data/sales.csv -> analysis/data/sales.csv'],
    ],
    'a cell of bash': ['%%bash\ncat data/sales.csv', ['0 file data/sales.csv -> analysis/data/sales.csv']],
    'a timed cell is still Python': ['%%time\nimport helpers', ['0 module helpers -> analysis/helpers.py']],
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

  it('names each once, with its first cell', () => {
    assert.deepEqual(found('x = 1', 'import helpers', 'import helpers'), [
      '1 module helpers -> analysis/helpers.py',
    ]);
  });

  it('ends with absolute paths, too', () => {
    const files = ['/w/helpers.py', '/w/src/tools.py'];
    const uses = missingReferences(notebookOf('import helpers, tools'), '/w/a/sales.ipynb', files);
    assert.deepEqual(
      uses.map(({ path }) => path),
      files,
    );
  });

  it('looks through 2,000 cells and 20,000 files without delay', () => {
    const files = Array.from({ length: 20_000 }, (_, index) => `data/${String(index)}/file.csv`);
    const sources = Array.from({ length: 2000 }, (_, index) => `open("data/${String(index)}/file.csv")`);
    assert.equal(missingReferences(notebookOf(...sources), 'n.ipynb', files).length, 2000);
  });
});
