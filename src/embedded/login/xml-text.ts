const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Text for XML. Characters that XML cannot contain are removed. */
export function xmlText(text: string): string {
  return (
    text
      .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
      // eslint-disable-next-line no-control-regex -- these are the characters that XML forbids
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
  );
}
