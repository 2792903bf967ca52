import { l10n } from 'vscode';
import type { ExecutionWarning } from '../execution/execution';
import { oneLine } from './text';

/**
 * A warning of an execution as a sentence. Its codes come from the parameters (notebook/parameters/inspect.ts), the
 * document (notebook/findings.ts), the runner and the services. An unknown code is shown unchanged.
 */
export function warningSentence({ code, args = [] }: ExecutionWarning): string {
  const list = args.map((argument) => oneLine(argument));
  const [first = '', second = '', third = '', fourth = ''] = list;
  // Services count cells from 0, sentences from 1.
  const cell = Number(first) + 1;
  switch (code) {
    case 'parameterNotDeclared':
      return l10n.t('Parameter {0} is not declared in the notebook; it was set anyway.', first);
    case 'yamlWord':
      return l10n.t(
        'Parameter {0}: {1} is read as {2}. In YAML 1.1, which papermill reads, it is {3}.',
        first,
        second,
        third,
        fourth,
      );
    case 'parametersCellInvalid':
      return l10n.t('The cell tagged “parameters” cannot be read from line {0} on.', first);
    case 'otherKernel':
      return l10n.t('The notebook asks for the kernel {0}; it was run with {1}.', first, second);
    case 'formatUpgraded':
      return l10n.t('The notebook was upgraded from format {0}.', first);
    case 'fieldMoved':
      return l10n.t(
        'Moved into the metadata, because the format has no such field: {0} ({1}×).',
        first,
        second,
      );
    case 'fieldDropped':
      return l10n.t('Left out, because the format does not allow it: {0} ({1}×).', first, second);
    case 'metadataChanged':
      return l10n.t('Metadata was reduced to what the format allows: {0} ({1}×).', first, second);
    case 'cellTypeChanged':
      return l10n.t('Cells of the unknown type {0} became raw cells ({1}×).', first, second);
    case 'cellIdChanged':
      return l10n.t('The cell id {0} was invalid or used twice and was replaced.', first);
    case 'outputDropped':
      return l10n.t('Old outputs of the unknown type {0} were left out ({1}×).', first, second);
    case 'idleMissing':
      return l10n.t('Cell {0} did not report its end; its last outputs may be missing.', cell);
    case 'messagesLost':
      return l10n.t('Messages of the kernel about cell {0} were lost; its outputs may be incomplete.', cell);
    case 'kernelNotEnded':
      return l10n.t(
        'The kernel was still busy {0} s after the last cell and was ended: threads, exit handlers or child processes may not have finished.',
        first,
      );
    case 'kernelEndFailed':
      return l10n.t(
        'The kernel was ended by {0} after the last cell; files that it was writing may be incomplete.',
        first,
      );
    case 'outputTooLarge':
      return l10n.t('An output of cell {0} is too large to be kept.', cell);
    case 'journalDamaged':
      return l10n.t('Some of the recorded outputs could not be read from the disk. The others are kept.');
    case 'outputNotPlaced':
      return l10n.t(
        'The output could not be written to {0} ({1}); it is kept by the service.',
        first,
        second,
      );
    case 'fieldIgnored':
      return l10n.t('{0} is not used by the service.', first);
    case 'bucketInOtherRegion':
      return l10n.t('The bucket {0} is in {1}, the execution in {2}.', first, second, third);
    default:
      return list.length === 0 ? oneLine(code) : `${oneLine(code)}: ${list.join(', ')}`;
  }
}
