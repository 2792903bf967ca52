import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { runInNewContext } from 'node:vm';
import { parseJson, type JsonNumber } from '../../../src/notebook/json';
import { ParametersError } from '../../../src/notebook/parameters/errors';
import { dialectOf, parametersSource } from '../../../src/notebook/parameters/inject';
import { ROOT } from '../../support/paths';
import { findProgram } from '../../support/setup';
import { parameters } from './build';
import { ASSIGNMENTS, VALUES, type ValueName } from './literals';
import { python } from './python';

const DENO = path.join(ROOT, 'node_modules/.bin/deno');
const NAMES = Object.keys(VALUES) as ValueName[];

/** The comment line, if it differs from Python's. */
const COMMENTS: Readonly<Record<string, string>> = {
  scala: '// Parameters',
  javascript: '// Parameters',
  'c#': '// Parameters',
  'f#': '(* Parameters *)',
  matlab: '% Parameters',
};

/** All values that a language has, under their own names, as one source. */
function sourceOfAll(language: string): { source: string; names: ValueName[] } {
  const names = NAMES.filter((name) => ASSIGNMENTS[language]?.[name] !== undefined);
  const json = names.map((name) => `"${name}": ${VALUES[name]}`).join(', ');
  return { source: parametersSource(parameters(`{${json}}`), '', language), names };
}

/** The values as a reader with Python's numbers sees them: NaN and infinities as strings. */
function expectedValues(names: readonly ValueName[]): unknown {
  return python(
    `import json,sys
clean = lambda v: repr(v) if v != v or v in (float('inf'), float('-inf')) else v
print(json.dumps({k: (clean(json.loads(v)) if not isinstance(json.loads(v), (list, dict)) else json.loads(v)) for k, v in json.load(sys.stdin).items()}))`,
    Object.fromEntries(names.map((name) => [name, VALUES[name]])),
  );
}

describe('parameters as source', () => {
  for (const [language, assignments] of Object.entries(ASSIGNMENTS)) {
    describe(language, () => {
      for (const name of NAMES) {
        it(`assigns ${VALUES[name]}`, () => {
          const write = (): string => parametersSource(parameters(`{"x": ${VALUES[name]}}`), '', language);
          const expected = assignments[name];
          if (expected === undefined) {
            assert.throws(
              write,
              (error) => error instanceof ParametersError && error.code === 'valueUnsupported',
            );
          } else {
            const [comment = '', assignment, ...rest] = write().split('\n');
            assert.equal(comment, COMMENTS[language] ?? '# Parameters');
            assert.deepEqual([assignment, rest], [expected, ['']]);
          }
        });
      }
    });
  }
});

describe('parameters as source, evaluated', () => {
  it('by Python', () => {
    const { source, names } = sourceOfAll('python');
    const got = python(
      `import json,sys
scope = {}
exec(json.load(sys.stdin), scope)
clean = lambda v: repr(v) if isinstance(v, float) and (v != v or v in (float('inf'), float('-inf'))) else v
print(json.dumps({k: clean(v) for k, v in scope.items() if k != '__builtins__'}))`,
      source,
    );
    assert.deepEqual(got, expectedValues(names));
  });

  // Numbers that JSON.stringify does not change.
  const SHOW = `JSON.stringify(%, (key, value) =>
    typeof value === 'bigint' || (typeof value === 'number' && !Number.isSafeInteger(value)) ? String(value) : value)`;
  const JAVASCRIPT = { past53: '9007199254740993', past64: '12345678901234567890123', small: '-2.5e-7' };

  function assertJavaScript(run: (program: string) => string): void {
    const { source, names } = sourceOfAll('javascript');
    const program = `${source}\n${SHOW.replace('%', `{${names.join(', ')}}`)}`;
    const expected = Object.fromEntries(
      names.map((name) => [
        name,
        JSON.parse(/NaN|Infinity|1e400/.test(VALUES[name]) ? 'null' : VALUES[name]),
      ]),
    );
    assert.deepEqual(JSON.parse(run(program)), {
      ...expected,
      ...JAVASCRIPT,
      mixed: [1, '2.5', 'a', true, null, -1],
      huge: 'Infinity',
      nan: 'NaN',
      negativeInfinity: '-Infinity',
    });
  }

  it('by Node', () => {
    assertJavaScript((program) => String(runInNewContext(program)));
  });

  it('by Deno, as TypeScript', () => {
    assertJavaScript((program) => {
      const shown = program.replace(/\nJSON\.stringify/, '\nconst shown = JSON.stringify');
      return execFileSync(DENO, ['eval', '--ext=ts', `${shown}\nconsole.log(shown)`], {
        // Not in a CommonJS package.
        cwd: tmpdir(),
        encoding: 'utf8',
      });
    });
  });

  it('by Bash', () => {
    const { source, names } = sourceOfAll('bash');
    const lists = ['list', 'mixed'];
    const scalars = names.filter((name) => !lists.includes(name) && name !== 'flat');
    const show = [
      ...scalars.map((name) => `printf '%s\\0' "$${name}"`),
      ...lists.map((name) => `printf '%s|' "\${${name}[@]}"; printf '\\0'`),
      `printf '%s' "\${flat[a]}/\${flat[b c]}"`,
    ];
    const output = execFileSync('bash', ['-u', '-c', `${source}\n${show.join('\n')}`], { encoding: 'utf8' });
    const text = (name: ValueName): string => {
      const value = parseJson(VALUES[name]) as string | number | boolean | JsonNumber | null;
      return typeof value === 'number' && !Number.isFinite(value)
        ? ({ NaN: 'nan', Infinity: 'inf', '-Infinity': '-inf' }[String(value)] ?? '')
        : (value === null ? '' : value.toString()).replace('1e400', 'inf');
    };
    assert.deepEqual(output.split('\0'), [...scalars.map(text), '1|2|', '1|2.5|a|true||-1|', '1/x y']);
  });

  const rscript = findProgram(['Rscript']);
  it(rscript === undefined ? 'by R: not installed here, only the table above' : 'by R', () => {
    if (rscript === undefined) return;
    const { source, names } = sourceOfAll('r');
    const checks: Partial<Record<ValueName, string>> = {
      nothing: 'is.null(nothing)',
      nan: 'is.nan(nan)',
      huge: 'huge == Inf',
      negativeInfinity: 'negativeInfinity == -Inf',
      text: String.raw`identical(utf8ToInt(text), c(${codePoints('text')}))`,
      lines: `identical(utf8ToInt(lines), c(${codePoints('lines')}))`,
      unicode: `identical(utf8ToInt(unicode), c(${codePoints('unicode')}))`,
      hidden: `identical(utf8ToInt(hidden), c(${codePoints('hidden')}))`,
      empty: 'identical(empty, "")',
      list: 'identical(list, base::list(1, 2))',
      mixed: 'identical(mixed, base::list(1, 2.5, "a", TRUE, NULL, -1))',
      nested: 'identical(nested, base::list(base::list(1, 2), base::list()))',
      single: 'length(single) == 1 && identical(single[[1]], base::list(1))',
      flat: 'identical(names(flat), c("a", "b c")) && flat$a == 1',
      object:
        'identical(names(object)[1:2], c("2", "1")) && is.null(object[[3]]$x) && names(object[[3]]) == "x"',
      yes: 'identical(yes, TRUE)',
      no: 'identical(no, FALSE)',
    };
    const program = names.map(
      (name) => `cat("${name}", ${checks[name] ?? `${name} == ${VALUES[name]}`}, "\\n")`,
    );
    const output = execFileSync(rscript, ['-e', `list <- base::list\n${source}\n${program.join('\n')}`], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    assert.deepEqual(
      output.trim().split(/ *\n/),
      names.map((name) => `${name} TRUE`),
    );
  });
});

function codePoints(name: ValueName): string {
  return Array.from(JSON.parse(VALUES[name]) as string)
    .map((c) => `${String(c.codePointAt(0))}L`)
    .join(', ');
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

function isAllowed(language: string): (name: string) => boolean {
  return (name) => dialectOf('', language)?.identifier.test(name) === true;
}

describe('names of parameters', () => {
  const CASES: [language: string, allowed: string, refused: string[]][] = [
    [
      'python',
      'a _a1 größe match case type print _ none',
      ['', '1a', 'a-b', 'a.b', 'a b', 'a;import os', 'a\nb', ...words('lambda None async __debug__')],
    ],
    [
      'r',
      'a a.b .a größe _a T If in_ pi c NULL.',
      ['', '1a', 'a-b', '.1', '_', ...words('if TRUE NA NA_real_ in function _if __NULL')],
    ],
    ['julia', 'a a! _ größe where type mutable End', ['', '1a', 'a.b', ...words('end function true struct')]],
    // Keywords of Scala 3 are names in Scala 2, and one the other way round.
    ['scala', 'a _a größe given enum forSome Type', ['', '1a', 'a-b', ...words('type val object yield')]],
    [
      'bash',
      'a _A1 if done path PATH uid',
      ['', '1a', 'ä', 'a-b', 'a$(b)', ...words('UID EUID PPID SHELLOPTS')],
    ],
    // Some are reserved in modules only.
    [
      'javascript',
      'a $x _ größe of async Class await static yield package eval',
      ['', '1a', 'a-b', 'a.b', ...words('class new let enum typeof null')],
    ],
    ['typescript', 'type any number', words('class new let enum typeof null')],
    [
      'c#',
      'a _ größe var dynamic record Class',
      ['', '1a', '@class', ...words('class string int event lock')],
    ],
    [
      'f#',
      'a _ größe process parallel params Type',
      ['', '1a', '``type``', ...words('type val mod null end')],
    ],
    [
      'powershell',
      'a _a if true_ input args null größe',
      ['a-b', '{a}', '', '1a', ...words('true False PID home Host ERROR')],
    ],
    ['matlab', 'a a_1 End pi', ['', '_a', 'ä', '1a', ...words('end function parfor global')]],
  ];
  for (const [language, allowed, refused] of CASES) {
    it(`in ${language}`, () => {
      for (const name of words(allowed)) parametersSource({ [name]: 1 }, '', language);
      for (const name of refused) {
        assert.throws(
          () => parametersSource({ [name]: 1 }, '', language),
          (error) =>
            error instanceof ParametersError &&
            error.code === 'nameInvalid' &&
            error.args['name'] === name &&
            error.args['language'] !== undefined,
          name,
        );
      }
    });
  }

  it('are refused in Python exactly when Python refuses them', () => {
    const code =
      'import json, keyword; print(json.dumps(keyword.kwlist + keyword.softkwlist + ["__debug__"]))';
    const all = python(code, null) as string[];
    const assigns = `import json, sys
def works(name):
    try: exec(f'{name} = 1', {})
    except SyntaxError: return False
    return True
print(json.dumps([n for n in json.load(sys.stdin) if works(n)]))`;
    assert.deepEqual(all.filter(isAllowed('python')), python(assigns, all));
  });

  it('are refused in Bash exactly when Bash refuses them', () => {
    const all = execFileSync('bash', ['-c', 'compgen -k; compgen -v'], { encoding: 'utf8' }).split('\n');
    const candidates = all.filter((name) => /^[A-Za-z_]\w*$/.test(name));
    const works = candidates.filter(
      (name) => spawnSync('bash', ['-c', `${name}=1`], { stdio: 'ignore' }).status === 0,
    );
    assert.deepEqual(candidates.filter(isAllowed('bash')), works);
  });

  it('are refused in JavaScript when it refuses them everywhere', () => {
    const works = (name: string): boolean => {
      try {
        runInNewContext(`let ${name} = 1;`);
        return true;
      } catch {
        return false;
      }
    };
    const all = words(`
      break case catch class const continue debugger default delete do else enum export extends false finally for function if
      import in instanceof let new null return super switch this throw true try typeof var void while with await static yield
      async of get set implements interface package private protected public eval arguments`);
    assert.deepEqual(all.filter(isAllowed('javascript')), all.filter(works));
  });

  it('lose their leading underscores in R, as in papermill', () => {
    assert.equal(parametersSource({ __a: 1 }, 'ir', 'R'), '# Parameters\na = 1\n');
  });
});

describe('the language', () => {
  const CASES: [kernel: string, language: string, line: string][] = [
    ['python3', 'python', 'x = None'],
    ['Python3', 'Python', 'x = None'],
    ['pysparkkernel', '', 'x = None'],
    ['sparkkernel', 'python', 'val x = None'],
    ['sparkrkernel', 'scala', 'x = NULL'],
    ['ir', 'R', 'x = NULL'],
    ['.net-csharp', 'polyglot', 'object x = null;'],
    ['.net-fsharp', 'C#', 'let x = None'],
    ['.net-powershell', 'C#', '$x = $Null'],
    ['mine', 'C#', 'object x = null;'],
    ['mine', 'F#', 'let x = None'],
    ['mine', 'PowerShell', '$x = $Null'],
    ['julia-1.9', 'julia', 'x = nothing'],
    ['deno', 'typescript', 'let x = null;'],
    ['tslab', 'typescript', 'let x = null;'],
    ['jslab', 'javascript', 'let x = null;'],
    ['bash', 'bash', 'x='],
    ['matlab', 'matlab', 'x = NaN;'],
  ];
  for (const [kernel, language, line] of CASES) {
    it(`${kernel} of ${language === '' ? 'no language' : language}: ${line}`, () => {
      assert.equal(parametersSource({ x: null }, kernel, language).split('\n')[1], line);
    });
  }

  it('is reported when it has no parameters', () => {
    assert.throws(
      () => parametersSource({ x: 1 }, 'cling', 'C++'),
      (error) => {
        assert.ok(error instanceof ParametersError);
        assert.deepEqual(
          [error.code, error.args],
          ['languageUnsupported', { kernel: 'cling', language: 'C++' }],
        );
        return true;
      },
    );
  });
});
