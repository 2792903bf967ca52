/** Why parameters cannot be used. */
export type ParametersErrorCode =
  | 'yamlInvalid'
  | 'notMapping'
  | 'keyInvalid'
  | 'nameInvalid'
  | 'languageUnsupported'
  | 'valueUnsupported'
  | 'tooLarge'
  | 'tooSlow';

/**
 * Parameters that cannot be read or injected. `message` is technical English for logs. `args` by `code`: `yamlInvalid`:
 * `line`, `column` (from 1), `detail`; `keyInvalid`: `line`; `nameInvalid`: `name`, `language`; `languageUnsupported`:
 * `language`, `kernel`; `valueUnsupported`: `name`, `language`; `tooLarge`: `bytes`, `limit`; `tooSlow` (only from
 * services): `seconds`.
 */
export class ParametersError extends Error {
  override readonly name = 'ParametersError';

  constructor(
    readonly code: ParametersErrorCode,
    message: string,
    readonly args: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
