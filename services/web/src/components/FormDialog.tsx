// A form in a dialog: opened empty, sent once, with what the server says about it at the fields.

import { useState, type ReactNode } from "react";
import { Form } from "react-aria-components";
import { ProblemError, sentenceOf } from "../api/problem";
import { m } from "../messages";
import page from "../pages/page.module.css";
import { Button, Notice } from "./controls";
import { Dialog, DialogFoot } from "./dialogs";
import { Secret } from "./Secret";

interface FormProps<T extends object> {
  lead?: string;
  /** What the fields hold when the dialog opens; its keys are the fields' names in the request. */
  initial: T;
  /** The label of the button that sends. */
  submit: string;
  /** What has to be put right before it can be sent: sentences by field. */
  check?: (value: T) => Record<string, string>;
  /** Sends it; the dialog stays, with what is wrong, if this fails. */
  action: (value: T) => Promise<unknown>;
  ready?: (value: T) => boolean;
  onClose: () => void;
  children: (value: T, change: (part: Partial<T>) => void) => ReactNode;
}

interface FormDialogProps<T extends object> extends FormProps<T> {
  title: string;
  open: boolean;
}

export function FormDialog<T extends object>({ title, open, ...form }: FormDialogProps<T>) {
  return (
    <Dialog title={title} open={open} onClose={form.onClose}>
      <Body {...form} />
    </Dialog>
  );
}

/** It is there only while the dialog is open: each time with fresh fields. */
function Body<T extends object>({ lead, initial, submit, check, action, ready, onClose, children }: FormProps<T>) {
  const [value, setValue] = useState(initial);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const send = async () => {
    const problems = check?.(value) ?? {};
    setErrors(problems);
    setFailure(undefined);
    if (Object.keys(problems).length) return;
    setBusy(true);
    try {
      await action(value);
      onClose();
    } catch (error) {
      const fields = error instanceof ProblemError ? error.fields : {};
      setErrors(fields);
      // What is wrong with no field that can be seen is said above all of them.
      if (!Object.keys(fields).some((name) => name in initial)) setFailure(sentenceOf(error));
      setBusy(false);
    }
  };
  return (
    <>
      {lead && <p>{lead}</p>}
      {failure && <Notice tone="danger">{failure}</Notice>}
      <Form
        className={page.form ?? ""}
        validationErrors={errors}
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        {children(value, (part) => setValue((old) => ({ ...old, ...part })))}
        <DialogFoot>
          <Button onPress={onClose}>{m.common.cancel}</Button>
          <Button type="submit" tone="primary" busy={busy} isDisabled={ready ? !ready(value) : false}>
            {submit}
          </Button>
        </DialogFoot>
      </Form>
    </>
  );
}

interface SecretDialogProps {
  title: string;
  text: string;
  /** The dialog is open while there is one. */
  secret: string | undefined;
  onClose: () => void;
}

/** Shows what is shown only once; a press beside it does not lose it. */
export function SecretDialog({ title, text, secret, onClose }: SecretDialogProps) {
  return (
    <Dialog title={title} open={!!secret} onClose={onClose} alert>
      <p>{text}</p>
      <Secret text={secret ?? ""} />
      <DialogFoot>
        <Button tone="primary" onPress={onClose}>
          {m.common.done}
        </Button>
      </DialogFoot>
    </Dialog>
  );
}
