import { STATES } from '../../execution/states';
import { BUILT_IN_TEMPLATE, templateLabel } from '../../wording/names';
import { presentState } from '../../wording/state-presentation';
import type { Filter } from './arrangement';

/** Most words that a service searches for; the others are looked for in what it returns. */
const MAX_WORDS = 20;

/**
 * The filter in the syntax of the services (docs/service-api.md), to find older executions; empty if every execution
 * matches. A service may return more executions than the filter shows, but no fewer.
 */
export function serviceFilter({ text, states }: Filter): string {
  const shown = STATES.filter((state) => states.includes(presentState(state).group));
  const label = templateLabel(BUILT_IN_TEMPLATE).toLowerCase();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean).slice(0, MAX_WORDS);
  const terms = words.map((word) => {
    const quoted = `"${word.slice(0, 100).replaceAll(/["\\*]/g, String.raw`\$&`)}"`;
    // The label of the built-in template is translated; the service knows its name.
    return label.includes(word) ? `(${quoted} OR template = "${BUILT_IN_TEMPLATE}")` : quoted;
  });
  return [...(shown.length === 0 ? [] : [`state = (${shown.join(' OR ')})`]), ...terms].join(' AND ');
}
