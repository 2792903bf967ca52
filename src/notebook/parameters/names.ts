/*
 * Valid parameter names for each language. Rejects only words that cannot be assigned in any version or mode of the
 * language: keywords and predefined read-only variables.
 */

const WORD = /[\p{L}_][\p{L}\p{M}\p{N}_]*/u;

/** Matches names of this pattern that are not reserved words. */
function names(pattern: RegExp, words: string, before = ''): RegExp {
  const reserved = words.trim().replaceAll(/\s+/g, '|');
  return new RegExp(`^(?!${before}(?:${reserved})$)${pattern.source}$`, pattern.flags);
}

export const PYTHON_NAME = names(
  WORD,
  `False None True and as assert async await break class continue def del elif else except finally for from global if import in
  is lambda nonlocal not or pass raise return try while with yield __debug__`,
);

/** Leading underscores are allowed because they are dropped, see dialects.ts. */
export const R_NAME = names(
  /_*(?:[\p{L}]|\.(?!\d))[\p{L}\p{N}_.]*/u,
  `if else repeat while function for next break in TRUE FALSE NULL Inf NaN NA NA_integer_ NA_real_ NA_complex_ NA_character_`,
  '_*',
);

export const JULIA_NAME = names(
  /[\p{L}_][\p{L}\p{M}\p{N}_!]*/u,
  `baremodule begin break catch const continue do else elseif end export false finally for function global if import let local
  macro module quote return struct true try using while`,
);

/** Words reserved in only one of Scala 2 and 3 are allowed. */
export const SCALA_NAME = names(
  WORD,
  `abstract case catch class def do else extends false final finally for if implicit import lazy match new null object override
  package private protected return sealed super this throw trait true try type val var while with yield`,
);

/** Bash keywords can be assigned, its read-only variables cannot. */
export const BASH_NAME = names(/[A-Za-z_]\w*/, 'BASHOPTS BASH_VERSINFO EUID PPID SHELLOPTS UID');

/** Words reserved only in modules and strict mode are allowed; `let` cannot be declared with `let` in any mode. */
export const JAVASCRIPT_NAME = names(
  /[\p{L}_$][\p{L}\p{M}\p{N}_$]*/u,
  `break case catch class const continue debugger default delete do else enum export extends false finally for function if
  import in instanceof let new null return super switch this throw true try typeof var void while with`,
);

export const CSHARP_NAME = names(
  WORD,
  `abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else enum
  event explicit extern false finally fixed float for foreach goto if implicit in int interface internal is lock long namespace
  new null object operator out override params private protected public readonly ref return sbyte sealed short sizeof
  stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using virtual void
  volatile while`,
);

/** F# only warns about words reserved for future use. */
export const FSHARP_NAME = names(
  WORD,
  `abstract and as asr assert base begin class const default delegate do done downcast downto elif else end exception extern
  false finally fixed for fun function global if in inherit inline interface internal land lazy let lor lsl lsr match member mod
  module mutable namespace new null of open or override private public rec return sig static struct then to true try type upcast
  use val void when while with yield`,
);

/** PowerShell keywords can be assigned, its read-only variables cannot. Names are case-insensitive. */
export const POWERSHELL_NAME = names(
  new RegExp(WORD.source, 'iu'),
  `error executioncontext false home host pid psculture psedition pshome psuiculture psversiontable shellid true`,
);

export const MATLAB_NAME = names(
  /[A-Za-z]\w{0,62}/,
  `break case catch classdef continue else elseif end for function global if otherwise parfor persistent return spmd switch try
  while`,
);
