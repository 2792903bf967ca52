import * as assert from 'node:assert/strict';
import { STATE_NUMBERS } from '../../../src/execution/enumerations';
import { ServiceError } from '../../../src/execution/errors';
import { filterOf, type FilterFields } from '../../../src/service/api/filter';
import { compareValues, parseOrderBy } from '../../../src/service/api/order-by';

interface Item {
  readonly id: string;
  readonly name?: string;
  readonly state: string;
  readonly time?: string;
  readonly labels?: Record<string, string>;
  readonly done?: boolean;
}

const ITEMS: readonly Item[] = [
  { id: 'a', name: 'Sales Report', state: 'FAILED', time: '2026-01-01T10:00:00.500Z', labels: { team: 'x' } },
  { id: 'b', name: 'sales (2)', state: 'SUCCEEDED', time: '2026-01-02T10:00:00Z', labels: { 'a.b': 'x*y' } },
  { id: 'c', name: 'cost*', state: 'RUNNING', time: '2026-01-03T10:00:00Z', done: true },
  { id: 'd', state: 'QUEUED', labels: { team: 'xy', other: '' } },
];

const FIELDS: FilterFields<Item> = {
  fields: {
    displayName: { type: 'text', of: ({ name }) => name },
    state: { type: 'enum', values: STATE_NUMBERS, of: ({ state }) => state },
    createTime: { type: 'time', of: ({ time }) => time },
    labels: { type: 'map', of: ({ labels }) => labels },
    'executionTemplate.labels': { type: 'map', of: ({ labels }) => labels },
    done: { type: 'boolean', of: ({ done = false }) => done },
  },
  texts: ({ id, name }) => [id, name],
};

function ids(filter: string): string {
  const matches = filterOf(filter, FIELDS);
  return ITEMS.filter((item) => matches(item))
    .map(({ id }) => id)
    .join('');
}

describe('A filter', () => {
  const cases: Record<string, Record<string, string>> = {
    'of nothing matches all': { '': 'abcd', '   ': 'abcd' },
    'compares states': {
      'state = FAILED': 'a',
      'state=FAILED': 'a',
      'state="FAILED"': 'a',
      'state != FAILED': 'bcd',
      'state:RUNNING': 'c',
      'state:*': 'abcd',
      'state = 5': 'a',
    },
    'compares text, with wildcards': {
      'displayName = "Sales Report"': 'a',
      'display_name = "Sales Report"': 'a',
      "displayName = 'Sales*'": 'a',
      'displayName = *ales*': 'ab',
      'displayName = "sales (2)"': 'b',
      'displayName != "Sales*"': 'bcd',
      'displayName = "cost\\*"': 'c',
      'displayName = "cos\\*t"': '',
      'displayName = "*s*(*"': 'b',
      'displayName = "S*s*s*s"': '',
      'displayName:SALES': 'ab',
      'displayName:*': 'abc',
      'displayName >= sales': 'b',
      '-displayName:*': 'd',
    },
    'compares times': {
      'createTime >= 2026-01-02T10:00:00Z': 'bc',
      'createTime > "2026-01-02T11:00:00+01:00"': 'c',
      'create_time < "2026-01-01T10:00:00.501Z"': 'a',
      'createTime = "2026-01-01T10:00:00.5Z"': 'a',
      'createTime != "2026-01-01T10:00:00.5Z"': 'bcd',
      'NOT createTime:*': 'd',
    },
    'compares labels': {
      'labels.team = x': 'a',
      'labels.team:x': 'a',
      'labels.team = x*': 'ad',
      'labels.team:*': 'ad',
      'labels.team != x': 'bcd',
      'NOT labels.team = x': 'bcd',
      'labels:team': 'ad',
      'labels:t*': 'ad',
      'labels:*': 'abd',
      'labels."a.b" = "x\\*y"': 'b',
      'labels.a.b:*': 'b',
      'executionTemplate.labels.team = xy': 'd',
      'execution_template.labels.team = xy': 'd',
      'labels.other = ""': 'd',
      'labels.toString:*': '',
    },
    'compares yes and no': { 'done = true': 'c', 'done != true': 'abd', 'done = false': 'abd' },
    'searches a value alone, ignoring case': {
      sales: 'ab',
      'SALES report': 'a',
      '"sales r"': 'a',
      '*cost': '',
      d: 'd',
    },
    'joins: OR binds closer than AND': {
      'state = FAILED OR state = RUNNING': 'ac',
      'state = FAILED OR state = RUNNING AND sales': 'a',
      'sales state = FAILED OR state = RUNNING': 'a',
      '(state = RUNNING AND cost) OR state = QUEUED': 'cd',
      'NOT (state = FAILED OR state = RUNNING)': 'bd',
      '-(state = FAILED)': 'bcd',
      '-state = FAILED -sales': 'cd',
      'NOT(sales)': 'cd',
      'state = (FAILED OR RUNNING)': 'ac',
      'state: (FAILED OR RUNNING) AND sales': 'a',
      'labels.team = (x OR xy) AND -(state = QUEUED)': 'a',
    },
  };
  for (const [name, expectations] of Object.entries(cases)) {
    it(name, () => {
      for (const [filter, expected] of Object.entries(expectations))
        assert.equal(ids(filter), expected, filter);
    });
  }

  it('is refused with a reason that names the field', () => {
    const deep = (depth: number): string => `${'('.repeat(depth)}cost${')'.repeat(depth)}`;
    assert.equal(ids(deep(19)), 'c');
    for (const [filter, reason] of [
      ['color = red', /"color"; fields: displayName, state, createTime, labels\.KEY/],
      ['labels = x', /labels:KEY/],
      ['state.x = FAILED', /"state\.x"/],
      ['state = HUGE', /is none of STATE_UNSPECIFIED/],
      ['state > FAILED', /only =, != and :/],
      ['state = 8', /is none of/],
      ['createTime > yesterday', /RFC 3339/],
      ['createTime > 2026-13-01T00:00:00Z', /RFC 3339/],
      ['done = maybe', /true or false/],
      ['state =', /is incomplete/],
      ['state = FAILED AND ', /is incomplete/],
      ['state = FAILED AND', /not valid at "AND"/],
      ['state = FAILED OR', /not valid at "OR"/],
      ['AND a', /not valid at "AND a"/],
      ['(state = FAILED', /\( without \)/],
      ['state = FAILED)', /not valid at "\)"/],
      ['displayName = "x', /quote/],
      ['size(labels) > 1', /functions/],
      ['= x', /not valid/],
      ['a,b', /not valid at ",b"/],
      [deep(25), /20 levels/],
      ['a '.repeat(101), /100 comparisons/],
      ['x'.repeat(4097), /4096 characters/],
      ['__proto__ = x', /"__proto__"/],
    ] as const) {
      assert.throws(
        () => ids(filter),
        (error) => {
          assert.ok(error instanceof ServiceError);
          assert.deepEqual([error.status, error.args['field']], ['INVALID_ARGUMENT', 'filter']);
          assert.match(error.message, reason);
          return true;
        },
        filter,
      );
    }
  });

  it('takes no longer to evaluate for a hostile text', () => {
    const name = 'a'.repeat(100_000);
    const matches = filterOf(`displayName = "${'a*'.repeat(2000)}b"`, FIELDS);
    assert.equal(matches({ id: '', name, state: '' }), false);
    assert.throws(() => filterOf(`${' '.repeat(4000)}"${'\\'.repeat(90)}`, FIELDS), ServiceError);
  });
});

describe('An order', () => {
  const fields = { createTime: ({ time = '' }: Item) => time, state: ({ state }: Item) => state };
  const ordered = (orderBy: string): string => {
    const keys = parseOrderBy(orderBy, fields);
    const valuesOf = (item: Item): string[] => keys.map(({ of }) => of(item));
    return ITEMS.toSorted((a, b) => compareValues(keys, valuesOf(a), valuesOf(b)))
      .map(({ id }) => id)
      .join('');
  };

  it('sorts by several fields, each ascending or descending', () => {
    assert.equal(ordered('create_time desc'), 'cbad');
    assert.equal(ordered('createTime'), 'dabc');
    assert.equal(ordered(' state asc , createTime  DESC'), 'adcb');
    assert.equal(ordered(''), 'abcd');
  });

  it('is refused with a reason', () => {
    for (const orderBy of ['color', 'createTime down', 'createTime,', 'state,state,state,state,state,state'])
      assert.throws(() => ordered(orderBy), /orderBy/, orderBy);
  });
});
