import type * as vscode from 'vscode';
import * as z from 'zod/mini';
import { StrictExecutionTemplateSchema } from '../../execution/execution';
import { TemplateRunOptionsSchema } from '../../execution/templates/template';
import { withoutSecrets } from '../secret-values';

/** The user's choices when a notebook was submitted. */
export const SubmissionChoiceSchema = z.object({
  template: z.string(),
  /** YAML or JSON mapping; absent if the template's parameters were unchanged. */
  parameters: z.optional(z.string()),
  /** Names of secret parameters, whose values were not remembered; absent if there were none. */
  withheld: z.optional(z.array(z.string())),
  /** Changes to the template for this notebook only; absent if there were none. */
  options: z.optional(
    z.object({ runOptions: TemplateRunOptionsSchema, executionTemplate: StrictExecutionTemplateSchema }),
  ),
});
export type SubmissionChoice = z.infer<typeof SubmissionChoiceSchema>;

const MemorySchema = z.object({
  version: z.literal(1),
  lastTemplate: z.optional(z.string()),
  /** By the notebook's URI. The most recent submission is last. */
  notebooks: z.record(z.string(), SubmissionChoiceSchema),
});
type Memory = z.infer<typeof MemorySchema>;

const KEY = 'notebookExecutions.submissions';
const REMEMBERED_NOTEBOOKS = 200;

/** The choices of earlier submissions, per workspace. Contains no values of parameters with secret names. */
export class SubmissionMemory {
  constructor(private readonly state: vscode.Memento) {}

  get lastTemplate(): string | undefined {
    return this.read().lastTemplate;
  }

  choiceFor(notebook: vscode.Uri): SubmissionChoice | undefined {
    return this.read().notebooks[notebook.toString()];
  }

  async remember(notebook: vscode.Uri, choice: SubmissionChoice): Promise<void> {
    const { notebooks } = this.read();
    const key = notebook.toString();
    const others = Object.entries(notebooks).filter(([uri]) => uri !== key);
    // Filter the other notebooks' values again, because patterns may have been added since.
    const kept = [...others, [key, choice] as const]
      .slice(-REMEMBERED_NOTEBOOKS)
      .map(([uri, each]) => [uri, withholding(each)] as const);
    const memory: Memory = {
      version: 1,
      lastTemplate: choice.template,
      notebooks: Object.fromEntries(kept),
    };
    await this.state.update(KEY, memory);
  }

  /** Reads the memory. Data that is missing or was written by an incompatible version counts as empty. */
  private read(): Memory {
    const parsed = MemorySchema.safeParse(this.state.get(KEY));
    return parsed.success ? parsed.data : { version: 1, notebooks: {} };
  }
}

/** The choice without secret values. */
function withholding(choice: SubmissionChoice): SubmissionChoice {
  const { parameters, options, withheld: already = [], ...rest } = choice;
  const own = parameters === undefined ? undefined : withoutSecrets(parameters);
  const fromTemplate = options?.executionTemplate.parameters;
  const ofTemplate = fromTemplate === undefined ? undefined : withoutSecrets(fromTemplate);
  const withheld = [...new Set([...already, ...(own?.withheld ?? []), ...(ofTemplate?.withheld ?? [])])];
  return {
    ...rest,
    ...(own === undefined ? {} : { parameters: own.text }),
    ...(withheld.length === 0 ? {} : { withheld }),
    ...(options === undefined
      ? {}
      : {
          options: {
            ...options,
            executionTemplate: {
              ...options.executionTemplate,
              ...(ofTemplate === undefined ? {} : { parameters: ofTemplate.text }),
            },
          },
        }),
  };
}
