import type * as vscode from 'vscode';
import * as z from 'zod/mini';
import { StrictExecutionTemplateSchema, TemplateRunOptionsSchema } from '../../execution/template';
import { withoutSecrets } from '../secret-values';

/** What was chosen when a notebook was submitted. */
export const SubmissionChoiceSchema = z.object({
  template: z.string(),
  /** YAML or JSON mapping; absent where the template's own were kept. */
  parameters: z.optional(z.string()),
  /** Names of parameters whose values were not remembered, as they are secret; absent where there were none. */
  withheld: z.optional(z.array(z.string())),
  /** What was changed in the template for this notebook alone; absent where the template was taken as it is. */
  options: z.optional(
    z.object({ runOptions: TemplateRunOptionsSchema, executionTemplate: StrictExecutionTemplateSchema }),
  ),
});
export type SubmissionChoice = z.infer<typeof SubmissionChoiceSchema>;

const MemorySchema = z.object({
  version: z.literal(1),
  lastTemplate: z.optional(z.string()),
  /** By the notebook's URI; the one submitted last stands last. */
  notebooks: z.record(z.string(), SubmissionChoiceSchema),
});
type Memory = z.infer<typeof MemorySchema>;

const KEY = 'notebookExecutions.submissions';
const REMEMBERED_NOTEBOOKS = 200;

/** The choices of earlier submissions, for each workspace. Values of parameters with secret names are not among them. */
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
    // The others as well: patterns may have been added since.
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

  /** What another version wrote, or nothing at all, is an empty memory. */
  private read(): Memory {
    const parsed = MemorySchema.safeParse(this.state.get(KEY));
    return parsed.success ? parsed.data : { version: 1, notebooks: {} };
  }
}

/** The choice without what is secret in it. */
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
