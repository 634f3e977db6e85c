// Recovery codes, shown once: to be kept on paper or in a password manager.

import { Check, Copy, Download, Printer } from "lucide-react";
import { useState } from "react";
import { Button, Notice } from "../../components/controls";
import { DialogFoot } from "../../components/dialogs";
import { m } from "../../messages";
import { day } from "../../messages/format";
import css from "./security.module.css";

interface Props {
  codes: readonly string[];
  login: string;
  onDone: () => void;
}

export function RecoveryCodes({ codes, login, onDone }: Props) {
  const [copied, setCopied] = useState(false);
  const [kept, setKept] = useState(false);
  const [heading] = useState(() => m.security.codesHeading(login, location.host, day(new Date().toISOString())));
  const text = `${heading}\n\n${codes.join("\n")}\n\n${m.security.codesOnce}\n`;
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setCopied(true);
    setKept(true);
  };
  const download = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = "kinora-recovery-codes.txt";
    link.click();
    URL.revokeObjectURL(link.href);
    setKept(true);
  };
  return (
    <>
      <p>{m.security.codesLead}</p>
      <div className={css.printed}>
        <p className={css.onPaper}>{heading}</p>
        <ol className={css.codes} aria-label={m.security.recoveryCodes} data-secret>
          {codes.map((code) => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ol>
        <p className={css.onPaper}>{m.security.codesOnce}</p>
      </div>
      <div className={css.keep}>
        <Button
          dense
          icon={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
          onPress={() => void copy()}
        >
          {copied ? m.common.copied : m.common.copy}
        </Button>
        <Button dense icon={<Download size={14} aria-hidden />} onPress={download}>
          {m.security.download}
        </Button>
        <Button
          dense
          icon={<Printer size={14} aria-hidden />}
          onPress={() => {
            print();
            setKept(true);
          }}
        >
          {m.security.print}
        </Button>
      </div>
      {!kept && <Notice tone="warning">{m.security.codesWarning}</Notice>}
      <DialogFoot>
        <Button tone="primary" onPress={onDone}>
          {kept ? m.common.done : m.security.codesNoted}
        </Button>
      </DialogFoot>
    </>
  );
}
