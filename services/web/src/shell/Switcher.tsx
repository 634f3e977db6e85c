// Chooses the production: a button that opens a searchable list.

import { useQuery } from "@tanstack/react-query";
import { Check, ChevronsUpDown, Clapperboard, LayoutGrid, Search } from "lucide-react";
import { useState } from "react";
import { Autocomplete, Button, Input, Menu, MenuItem, MenuTrigger, Popover, SearchField, useFilter } from "react-aria-components";
import { productionsQuery } from "../api/queries";
import controls from "../components/controls.module.css";
import floating from "../components/floating.module.css";
import { m } from "../messages";
import css from "./Shell.module.css";

export function Switcher({ current }: { current: string | undefined }) {
  const { data: productions = [] } = useQuery(productionsQuery);
  const [text, setText] = useState("");
  const { contains } = useFilter({ sensitivity: "base" });
  const chosen = productions.find(({ id }) => id === current);
  const several = new Set(productions.map((production) => production.organisation)).size > 1;
  return (
    <MenuTrigger onOpenChange={() => setText("")}>
      <Button className={css.switcher ?? ""} aria-label={`${m.rail.chooseProduction}${chosen ? `: ${chosen.name}` : ""}`}>
        <Clapperboard size={16} aria-hidden />
        <span className="truncate">{chosen?.name ?? m.rail.chooseProduction}</span>
        <ChevronsUpDown size={14} aria-hidden />
      </Button>
      <Popover className={floating.popover ?? ""} placement="bottom start">
        <div className={css.chooser}>
          <Autocomplete filter={contains} inputValue={text} onInputChange={setText}>
            <SearchField aria-label={m.rail.findProduction} autoFocus className={css.chooserSearch ?? ""}>
              <div className={controls.searchBox}>
                <Search size={16} aria-hidden />
                <Input className={controls.input ?? ""} placeholder={m.rail.findProduction} />
              </div>
            </SearchField>
            <Menu
              aria-label={m.rail.productions}
              className={css.chooserList ?? ""}
              items={productions}
              renderEmptyState={() => <div className={css.chooserEmpty}>{text ? m.rail.noMatch(text) : m.productions.emptyTitle}</div>}
            >
              {(production) => (
                <MenuItem
                  id={production.id}
                  textValue={production.name}
                  href={`/productions/${production.id}/library`}
                  className={floating.item ?? ""}
                >
                  <span className={css.chooserText}>
                    {production.name}
                    {several && ` · ${production.organisation}`}
                    {production.support && ` · ${m.support.mark}`}
                  </span>
                  {production.id === current && <Check size={16} aria-hidden />}
                </MenuItem>
              )}
            </Menu>
          </Autocomplete>
          <div className={floating.separator} />
          <a className={floating.item} href="/productions">
            <LayoutGrid size={16} aria-hidden />
            {m.rail.allProductions}
          </a>
        </div>
      </Popover>
    </MenuTrigger>
  );
}
