/** One line for a person, on the standard error. */
export const tell = (words: string): void => void process.stderr.write(`${words}\n`);

let toldStep = "";

/** The name of a step once, however often its progress is reported. */
export function tellStep(step: string): void {
  if (step === toldStep) return;
  toldStep = step;
  tell(step);
}
