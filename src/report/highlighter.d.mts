/** The parts of highlight.js that are used, with the languages of notebooks. */
export declare const highlighter: {
  getLanguage(name: string): object | undefined;
  highlight(code: string, options: { language: string; ignoreIllegals: boolean }): { value: string };
};
