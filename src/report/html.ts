/** Text as HTML: for content and for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/**
 * Reserved characters that mark the place of a formula in HTML that is still to be sanitised. They never stay in a text
 * of the notebook.
 */
export const PLACE_START = '\ue000';
export const PLACE_END = '\ue001';

export function withoutPlaces(text: string): string {
  return text.replaceAll(PLACE_START, '').replaceAll(PLACE_END, '');
}
