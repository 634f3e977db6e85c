// A text that is shown once, to be copied.

import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { m } from "../messages";
import page from "../pages/page.module.css";
import { Button } from "./controls";

export function Secret({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div className={page.copyBox}>
      <code data-secret>{text}</code>
      <Button
        dense
        icon={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
        onPress={() => void navigator.clipboard?.writeText(text).then(() => setCopied(true))}
      >
        {copied ? m.common.copied : m.common.copy}
      </Button>
    </div>
  );
}
