// Confirming that it is still the same person: what answers "step-up-required" is sent again after that.

type Listener = (asked: boolean) => void;

let waiting: { promise: Promise<boolean>; settle: (confirmed: boolean) => void } | undefined;
let listener: Listener = () => undefined;

/** The dialog says how it wants to hear that somebody is to be asked. */
export function onConfirmationAsked(next: Listener): () => void {
  listener = next;
  if (waiting) next(true);
  return () => {
    listener = () => undefined;
  };
}

/** Asks the person, once for all that wait; whether they confirmed. */
export function askForConfirmation(): Promise<boolean> {
  if (!waiting) {
    let settle: (confirmed: boolean) => void = () => undefined;
    const promise = new Promise<boolean>((resolve) => {
      settle = resolve;
    });
    waiting = { promise, settle };
    listener(true);
  }
  return waiting.promise;
}

/** What came of it. */
export function settleConfirmation(confirmed: boolean): void {
  waiting?.settle(confirmed);
  waiting = undefined;
  listener(false);
}
