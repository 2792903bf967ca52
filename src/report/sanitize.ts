import { Parser } from 'htmlparser2';
import { escapeHtml, withoutPlaces } from './html';

/*
 * HTML of a notebook is parsed and written anew: only elements and attributes in the lists below, and text. None of the
 * elements contains anything but HTML, so that a browser cannot understand it in another way than the parser.
 */

/** How images in HTML are found. */
export interface ImageSources {
  /** `data:` URIs of the attachments of a Markdown cell, by name. */
  readonly attachments: ReadonlyMap<string, string>;
  /** Sentence in place of an image that the report cannot contain. */
  readonly left: (description: string) => string;
}

const ELEMENTS = new Set(
  (
    'a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details ' +
    'dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark meter nav ' +
    'ol p pre progress q rb rp rt rtc ruby s samp section small span strike strong sub summary sup table tbody td ' +
    'tfoot th thead time tr tt u ul var wbr'
  ).split(' '),
);
/** Elements without content and end tag. */
const VOID = new Set(['br', 'col', 'hr', 'img', 'wbr']);
/** Other elements are left out but for their content; these with it, because it is no text for readers. */
const NOT_TEXT = new Set(
  (
    'script style textarea select noscript title template svg math iframe object embed noembed noframes xmp ' +
    'plaintext video audio canvas applet frameset'
  ).split(' '),
);
const ATTRIBUTES = new Set(['align', 'valign', 'dir', 'lang', 'title', 'width', 'height']);
const ATTRIBUTES_OF = new Map(
  Object.entries({
    img: ['alt'],
    td: ['colspan', 'rowspan'],
    th: ['colspan', 'rowspan', 'scope'],
    col: ['span'],
    colgroup: ['span'],
    table: ['border', 'cellpadding', 'cellspacing'],
    ol: ['start', 'type', 'reversed'],
    li: ['value'],
    details: ['open'],
    font: ['color', 'size'],
    meter: ['value', 'min', 'max'],
    progress: ['value', 'max'],
  }),
);
/** Classes of the style sheet that content may have. */
const CLASS = /^(?:dataframe|hljs(?:-\w+)*_?|language-[\w-]+)$/;
/** Web pages, mail, and places relative to the report; no other schemes, and no `//host`. */
const LINK = /^(?:https?:\/\/|mailto:|#|(?!\/\/)[\w./-]+(?:[?#]|$))/i;
/** Images that can be part of the file. In an image, a browser neither runs scripts nor loads anything. */
const DATA_IMAGE = /^data:image\/(?:png|jpeg|gif|webp|bmp|avif|svg\+xml)[;,]/i;
/** Properties that may be set in `style` attributes: nothing that moves content over other content. */
const STYLES =
  /^(?:color|background-color|background|text-align|vertical-align|font(?:-(?:weight|style|size|family|variant))?|text-decoration(?:-line)?|white-space|line-height|(?:min-|max-)?(?:width|height)|(?:margin|padding)(?:-(?:top|right|bottom|left))?|border(?:-(?:top|right|bottom|left))?(?:-(?:color|width|style|radius))?|border-(?:collapse|spacing))$/;
/** Values without functions other than colours, so without `url()`, and without negative lengths. */
const STYLE_VALUE = /^(?:[\s#.,%'"+]|[a-z]-(?=[a-z])|\w|\b(?:rgb|rgba|hsl|hsla)\([\d\s.,%/]*\))*$/i;

/** HTML without anything that runs, loads, or shows outside of its place. Unclosed tags are closed. */
export function sanitizeHtml(html: string, images: ImageSources): string {
  const parts: string[] = [];
  /** The element that is being left out with its content, and how many of its name are open. */
  let skipped = '';
  let depth = 0;
  const parser = new Parser({
    onopentag(name, attributes) {
      if (skipped !== '') {
        if (name === skipped) depth += 1;
      } else if (NOT_TEXT.has(name)) {
        skipped = name;
        depth = 1;
      } else if (ELEMENTS.has(name)) {
        parts.push(name === 'img' ? imageOf(attributes, images) : tagOf(name, attributes));
      }
    },
    ontext(text) {
      if (skipped === '') parts.push(escapeHtml(text));
    },
    onclosetag(name) {
      if (skipped === '') {
        if (ELEMENTS.has(name) && !VOID.has(name)) parts.push(`</${name}>`);
      } else if (name === skipped) {
        depth -= 1;
        if (depth === 0) skipped = '';
      }
    },
  });
  parser.end(html);
  return parts.join('');
}

type Attributes = Readonly<Record<string, string>>;

function tagOf(name: string, attributes: Attributes): string {
  let tag = `<${name}`;
  for (const key in attributes) {
    const value = safeValue(name, key, withoutPlaces(attributes[key] ?? ''));
    if (value !== undefined) tag += ` ${key}="${escapeHtml(value)}"`;
  }
  return `${tag}${name === 'a' ? ' rel="noopener noreferrer"' : ''}>`;
}

/** The value of an attribute, or the part of it that is safe; undefined if the attribute is left out. */
function safeValue(element: string, name: string, value: string): string | undefined {
  if (name === 'style') return safeStyle(value);
  if (name === 'class') {
    return (
      value
        .split(/\s+/)
        .filter((each) => CLASS.test(each))
        .join(' ') || undefined
    );
  }
  if (name === 'href') return element === 'a' && LINK.test(value) ? value : undefined;
  return ATTRIBUTES.has(name) || ATTRIBUTES_OF.get(element)?.includes(name) === true ? value : undefined;
}

function safeStyle(style: string): string | undefined {
  const safe = style.split(';').filter((declaration) => {
    const colon = declaration.indexOf(':');
    const name = declaration.slice(0, colon).trim().toLowerCase();
    return colon > 0 && STYLES.test(name) && STYLE_VALUE.test(declaration.slice(colon + 1).trim());
  });
  return safe.length === 0 ? undefined : safe.map((declaration) => declaration.trim()).join('; ');
}

function imageOf(attributes: Attributes, { attachments, left }: ImageSources): string {
  const { src = '', alt = '' } = attributes;
  const found = attachments.get(attachmentName(src)) ?? src;
  if (!DATA_IMAGE.test(found)) return `<em>${escapeHtml(left(withoutPlaces(alt)))}</em>`;
  return tagOf('img', attributes).replace('<img', `<img src="${escapeHtml(withoutPlaces(found))}"`);
}

function attachmentName(src: string): string {
  const name = /^attachment:(.*)$/s.exec(src)?.[1] ?? '';
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
