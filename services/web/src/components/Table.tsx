// Tables of text and controls. On a narrow screen each row becomes a card: its first cell is the
// card's title, the others stand below with the names of their columns, so that nothing is cut off.
//
// The roles are written out, because browsers drop them from tables that are not laid out as tables.

/* oxlint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role, jsx-a11y/no-noninteractive-element-to-interactive-role, jsx-a11y/prefer-tag-over-role */

import type { ReactNode } from "react";
import css from "./Table.module.css";

interface Column {
  name: string;
  /** The name is only read out. */
  quiet?: boolean;
}

interface TableProps {
  label: string;
  columns: readonly Column[];
  /** A few short figures: low rows, and still a table on a narrow screen. */
  small?: boolean;
  children: ReactNode;
}

export function Table({ label, columns, small, children }: TableProps) {
  return (
    <div className={`${css.wrap} ${small ? css.small : css.full}`} tabIndex={0} role="region" aria-label={label}>
      <table className={css.table} role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ name, quiet }) => (
              <th key={name} scope="col" role="columnheader">
                {quiet ? <span className="visually-hidden">{name}</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">{children}</tbody>
      </table>
    </div>
  );
}

export function Row({ children }: { children: ReactNode }) {
  return <tr role="row">{children}</tr>;
}

interface CellProps {
  /** The column's name, for cards. */
  label?: string;
  /** What the row is about: the card's title. Actions stand beside it. */
  kind?: "title" | "actions" | undefined;
  className?: string | undefined;
  /** Nothing is a dash in a table, and left out of a card. */
  children?: ReactNode;
}

export function Cell({ label, kind, className, children }: CellProps) {
  const isEmpty = children === undefined || children === null || children === false;
  const classes = [kind ? css[kind] : css.field, isEmpty && css.none, className].filter(Boolean).join(" ");
  if (kind === "title") {
    return (
      <th scope="row" role="rowheader" className={classes}>
        {children}
      </th>
    );
  }
  return (
    <td role="cell" className={classes} data-label={label}>
      {isEmpty && !kind ? "–" : children}
    </td>
  );
}

/** A name with something smaller below it, both on one line. A long name is cut, what stands after it never is. */
export function Who({ name, below, after }: { name: string; below?: string; after?: ReactNode }) {
  return (
    <div className={css.who}>
      <div title={name} className={css.name}>
        <span>{name}</span> {after}
      </div>
      {below && <div title={below}>{below}</div>}
    </div>
  );
}
