const SECRETS: readonly RegExp[] = [
  // Authorization headers and bearer tokens, anywhere.
  /(\bauthorization["']?\s*[:=]\s*["']?)(?:(?:basic|bearer)\s+)?[^\s"',;]+/gi,
  /(\bbearer\s+)[\w.~+/=-]+/gi,
  // Query parameters that grant access: signed URLs, keys, tokens.
  /([?&](?:x-goog-signature|x-goog-credential|signature|sig|token|access_token|key|code)=)[^&\s"']+/gi,
  // JSON fields and assignments with names such as `password`.
  /(["']?\b\w*(?:password|passwd|secret|token|api_?key|private_?key|credential)\w*["']?\s*[:=]\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;})\]]+)/gi,
  // User and password of a URL.
  /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi,
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?:-----END|$)/g,
];

/**
 * The text with tokens, keys, passwords and signatures replaced by `***`; for everything logged or written to a report.
 */
export function redact(text: string): string {
  return SECRETS.reduce((redacted, pattern) => redacted.replace(pattern, '$1***'), text);
}
