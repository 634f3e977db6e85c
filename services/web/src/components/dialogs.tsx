// Dialogs, confirmations and menus.

import { X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Menu, MenuItem, MenuTrigger, Modal, ModalOverlay, Popover, Separator } from "react-aria-components";
import { sentenceOf } from "../api/problem";
import { m } from "../messages";
import { Button, IconButton, Notice } from "./controls";
import css from "./floating.module.css";

interface DialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  wide?: boolean;
  /** Asks for an answer: announced as an alert dialog, not closed by a press beside it. */
  alert?: boolean;
  children: ReactNode;
}

export function Dialog({ title, open, onClose, wide, alert, children }: DialogProps) {
  return (
    <ModalOverlay isOpen={open} onOpenChange={(next) => !next && onClose()} isDismissable={!alert} className={css.backdrop ?? ""}>
      <Modal className={[css.modal, wide ? css.wide : ""].join(" ")}>
        <AriaDialog className={css.dialog ?? ""} role={alert ? "alertdialog" : "dialog"}>
          <div className={css.dialogHead}>
            <Heading slot="title" className={css.dialogTitle ?? ""}>
              {title}
            </Heading>
            <IconButton label={m.common.close} onPress={onClose}>
              <X size={16} />
            </IconButton>
          </div>
          <div className={css.dialogBody}>{children}</div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export function DialogFoot({ children }: { children: ReactNode }) {
  return <div className={css.dialogFoot}>{children}</div>;
}

interface ConfirmProps {
  title: string;
  text: string;
  confirm: string;
  cancel?: string;
  danger?: boolean;
  open: boolean;
  onClose: () => void;
  /** What is confirmed; the dialog stays with a sentence if it fails. */
  action: () => Promise<unknown> | void;
}

export function Confirm({ title, text, confirm, cancel, danger = true, open, onClose, action }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  // The words that it was opened with stay: what they ask may have happened by the time it closes.
  const asked = { title, text, confirm, danger };
  const [kept, setKept] = useState({ open, words: asked });
  if (kept.open !== open) setKept({ open, words: open ? asked : kept.words });
  const words = kept.open === open ? kept.words : asked;
  const close = () => {
    setFailure(undefined);
    onClose();
  };
  const run = async () => {
    setBusy(true);
    try {
      await action();
      close();
    } catch (error) {
      setFailure(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={words.title} open={open} onClose={close} alert>
      <p>{words.text}</p>
      {failure && <Notice tone="danger">{failure}</Notice>}
      <DialogFoot>
        <Button onPress={close} autoFocus>
          {cancel ?? m.common.cancel}
        </Button>
        <Button tone={words.danger ? "danger" : "primary"} busy={busy} onPress={() => void run()}>
          {words.confirm}
        </Button>
      </DialogFoot>
    </Dialog>
  );
}

export interface MenuEntry {
  id: string;
  label: string;
  icon?: ReactNode;
  danger?: boolean;
  href?: string;
  download?: boolean;
  disabled?: boolean;
  action?: () => void;
}

/** A menu behind a button; `trigger` is the button. "-" makes a line. */
export function ActionMenu({ trigger, label, entries }: { trigger: ReactNode; label: string; entries: (MenuEntry | "-")[] }) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={css.popover ?? ""} placement="bottom end">
        <Menu aria-label={label}>
          {entries.map((entry, index) =>
            entry === "-" ? (
              // oxlint-disable-next-line react/no-array-index-key -- lines have no identity
              <Separator key={`line-${index}`} className={css.separator ?? ""} />
            ) : (
              <MenuItem
                key={entry.id}
                id={entry.id}
                className={[css.item, entry.danger ? css.itemDanger : ""].join(" ")}
                isDisabled={entry.disabled ?? false}
                textValue={entry.label}
                {...(entry.href ? { href: entry.href } : {})}
                {...(entry.download ? { download: true } : {})}
                {...(entry.action ? { onAction: entry.action } : {})}
              >
                {entry.icon}
                {entry.label}
              </MenuItem>
            ),
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
