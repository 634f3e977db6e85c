import { useEffect } from "react";
import { m } from "../messages";

/** Names the page in the browser's tab and history. */
export function useTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? m.common.page(title) : m.product;
  }, [title]);
}
