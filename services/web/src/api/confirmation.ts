// Confirming that it is still the same person: what answers "step-up-required" is sent again after that.

type Listener = (asked: boolean) => void;

/** Those who wait for what comes of it. */
const waiting: ((confirmed: boolean) => void)[] = [];
let listener: Listener = () => undefined;

/** The dialog says how it wants to hear that somebody is to be asked. */
export function onConfirmationAsked(next: Listener): () => void {
  listener = next;
  if (waiting.length) next(true);
  return () => {
    listener = () => undefined;
  };
}

/** Asks the person, once for all that wait; whether they confirmed. */
export function askForConfirmation(): Promise<boolean> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    listener(true);
  });
}

/** What came of it. */
export function settleConfirmation(confirmed: boolean): void {
  for (const resolve of waiting.splice(0)) resolve(confirmed);
  listener(false);
}
