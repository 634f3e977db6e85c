// The frame around every page for which one is signed in: rail, bottom bar, activity tray, notices.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import {
  Activity as ActivityIcon,
  CircleUser,
  Film,
  Keyboard,
  LayoutGrid,
  LogOut,
  PanelLeftClose,
  PanelLeftOpen,
  Settings2,
  SunMoon,
  UsersRound,
  WifiOff,
} from "lucide-react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover, Separator } from "react-aria-components";
import { productionQuery, sessionQuery } from "../api/queries";
import { signOut } from "../api/signOut";
import floating from "../components/floating.module.css";
import { m } from "../messages";
import { decidesOnMembers } from "../pages/permissions";
import { uploads } from "../uploads/manager";
import { nameUnfinished } from "../uploads/names";
import { KeyboardMap } from "./KeyboardMap";
import { useShortcuts } from "./keyboard";
import { readRemembered, remember, useRemembered } from "./remembered";
import css from "./Shell.module.css";
import { Switcher } from "./Switcher";
import { setTheme, useTheme, type Theme } from "./theme";
import { Tray, useActivityCount } from "./Tray";

function useOnline(): boolean {
  return useSyncExternalStore(
    (listener) => {
      addEventListener("online", listener);
      addEventListener("offline", listener);
      return () => {
        removeEventListener("online", listener);
        removeEventListener("offline", listener);
      };
    },
    () => navigator.onLine,
  );
}

export function Shell() {
  const cache = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const personId = session?.person.id;
  const params = useParams({ strict: false });
  const inProduction = useRouterState({ select: (state) => state.location.pathname.startsWith("/productions/") });
  const [lastProduction, setLastProduction] = useState(() => readRemembered<string | undefined>("production", undefined));
  const productionId = inProduction ? params.productionId : lastProduction;
  const { data: production, error: productionError } = useQuery({ ...productionQuery(productionId ?? ""), enabled: !!productionId });
  const [folded, setFolded] = useRemembered("rail.folded", false);
  const [trayOpen, setTrayOpen] = useRemembered("tray.open", false);
  const [keysOpen, setKeysOpen] = useState(false);
  const online = useOnline();
  const navigate = useNavigate();
  const main = useRef<HTMLElement>(null);

  useEffect(() => {
    if (personId) void uploads.restore(personId).then(() => nameUnfinished(cache, personId));
  }, [cache, personId]);

  useEffect(() => {
    if (inProduction && production) {
      remember("production", production.id);
      setLastProduction(production.id);
    }
  }, [inProduction, production]);

  const pending = useRef("");
  useShortcuts((event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const before = pending.current;
    pending.current = "";
    if (before === "g") {
      if (event.key === "p") void navigate({ to: "/productions" });
      else if (event.key === "l" && productionId) void navigate({ to: "/productions/$productionId/library", params: { productionId } });
      else if (event.key === "a") setTrayOpen(!trayOpen);
      else return false;
      return true;
    }
    if (event.key === "g") pending.current = "g";
    else if (event.key === "?") setKeysOpen(true);
    else if (event.key === "/") {
      const search = document.querySelector<HTMLInputElement>("main input[type=search]");
      if (!search) return false;
      search.focus();
      search.select();
    } else return false;
    return true;
  });

  const known = productionId && production && !productionError ? production : undefined;
  const showsMembers = known && decidesOnMembers(known, session);
  const administered = session?.organisations.filter(({ role, withheld }) => role !== "member" && !withheld) ?? [];
  const activity = useActivityCount(known?.id);

  return (
    <div className={css.shell} data-folded={folded || undefined}>
      <a className={css.skip} href="#content" onClick={() => main.current?.focus()}>
        {m.common.skipToContent}
      </a>
      <nav className={css.rail} aria-label={m.rail.navigation}>
        <Link to="/productions" className={css.brand} aria-label={`${m.product}: ${m.rail.productions}`}>
          <img src="/kinora.svg" alt="" width={20} height={20} />
          <span>{m.product}</span>
        </Link>
        <Switcher current={known?.id} />
        {known?.my_roles.library && (
          <Link className={css.item} to="/productions/$productionId/library" params={{ productionId: known.id }} title={folded ? m.rail.library : undefined}>
            <Film size={16} aria-hidden />
            <span>{m.rail.library}</span>
          </Link>
        )}
        {known && showsMembers && (
          <Link className={css.item} to="/productions/$productionId/members" params={{ productionId: known.id }} title={folded ? m.rail.members : undefined}>
            <UsersRound size={16} aria-hidden />
            <span>{m.rail.members}</span>
          </Link>
        )}
        <div className={css.space} />
        <AriaButton className={css.item ?? ""} onPress={() => setTrayOpen(!trayOpen)} aria-expanded={trayOpen}>
          <ActivityIcon size={16} aria-hidden />
          <span>{m.rail.activity}</span>
          {activity > 0 && <span className={`${css.badge} num`}>{activity}</span>}
        </AriaButton>
        {administered.length === 1 && administered[0] ? (
          <Link className={css.item} to="/administration/$organisationId" params={{ organisationId: administered[0].id }} title={folded ? m.rail.administration : undefined}>
            <Settings2 size={16} aria-hidden />
            <span>{m.rail.administration}</span>
          </Link>
        ) : (
          administered.map(({ id, name }) => (
            <Link key={id} className={css.item} to="/administration/$organisationId" params={{ organisationId: id }} title={name}>
              <Settings2 size={16} aria-hidden />
              <span className="truncate">{name}</span>
            </Link>
          ))
        )}
        <AccountMenu name={session?.person.display_name ?? ""} onKeys={() => setKeysOpen(true)} itemClass={css.item ?? ""} />
        <AriaButton className={css.item ?? ""} onPress={() => setFolded(!folded)} aria-label={folded ? m.rail.expand : m.rail.collapse}>
          {folded ? <PanelLeftOpen size={16} aria-hidden /> : <PanelLeftClose size={16} aria-hidden />}
          <span>{m.rail.collapse}</span>
        </AriaButton>
      </nav>

      <main id="content" className={css.main} ref={main} tabIndex={-1}>
        {!online && (
          <div className={css.offline} role="status">
            <WifiOff size={16} aria-hidden />
            {m.errors.offlineNotice}
          </div>
        )}
        <div className={css.page}>
          <Outlet />
        </div>
      </main>

      <nav className={css.bar} aria-label={m.rail.navigation}>
        <Link to="/productions" activeOptions={{ exact: true, includeSearch: false }} className={css.barItem}>
          <LayoutGrid size={20} aria-hidden />
          {m.rail.productions}
        </Link>
        {known?.my_roles.library && (
          <Link className={css.barItem} to="/productions/$productionId/library" params={{ productionId: known.id }}>
            <Film size={20} aria-hidden />
            {m.rail.library}
          </Link>
        )}
        <AriaButton className={css.barItem ?? ""} onPress={() => setTrayOpen(!trayOpen)} aria-expanded={trayOpen}>
          <ActivityIcon size={20} aria-hidden />
          {m.rail.activity}
          {activity > 0 && <span className={`${css.badge} num`}>{activity}</span>}
        </AriaButton>
        <AccountMenu
          name={m.rail.more}
          onKeys={() => setKeysOpen(true)}
          itemClass={css.barItem ?? ""}
          iconSize={20}
          more={[
            ...(known && showsMembers ? [{ href: `/productions/${known.id}/members`, label: m.rail.members, icon: <UsersRound size={16} /> }] : []),
            ...administered.map(({ id, name }) => ({
              href: `/administration/${id}`,
              label: administered.length > 1 ? `${m.rail.administration}: ${name}` : m.rail.administration,
              icon: <Settings2 size={16} />,
            })),
          ]}
        />
      </nav>

      <Tray open={trayOpen} setOpen={setTrayOpen} productionId={known?.id} />
      <KeyboardMap open={keysOpen} onClose={() => setKeysOpen(false)} />
    </div>
  );
}

interface AccountMenuProps {
  name: string;
  itemClass: string;
  iconSize?: number;
  onKeys: () => void;
  more?: { href: string; label: string; icon: React.ReactNode }[];
}

function AccountMenu({ name, itemClass, iconSize = 16, onKeys, more }: AccountMenuProps) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const theme = useTheme();
  const leave = useMutation({
    mutationFn: signOut,
    onSettled: (leaves) => {
      cache.clear();
      if (!leaves) void navigate({ to: "/sign-in" });
    },
  });
  const themes: Theme[] = ["system", "dark", "light"];
  return (
    <MenuTrigger>
      <AriaButton className={itemClass}>
        <CircleUser size={iconSize} aria-hidden />
        <span className="truncate">{name}</span>
      </AriaButton>
      <Popover className={floating.popover ?? ""} placement="top start">
        <Menu aria-label={m.rail.account}>
          {more?.map((entry) => (
            <MenuItem key={entry.href} id={entry.href} href={entry.href} className={floating.item ?? ""} textValue={entry.label}>
              {entry.icon}
              {entry.label}
            </MenuItem>
          ))}
          <MenuItem id="account" href="/account" className={floating.item ?? ""} textValue={m.rail.account}>
            <CircleUser size={16} aria-hidden />
            {m.rail.account}
          </MenuItem>
          <MenuItem id="keys" onAction={onKeys} className={floating.item ?? ""} textValue={m.rail.keyboard}>
            <Keyboard size={16} aria-hidden />
            {m.rail.keyboard}
          </MenuItem>
          <MenuItem
            id="theme"
            className={floating.item ?? ""}
            textValue={m.rail.theme}
            onAction={() => setTheme(themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system")}
          >
            <SunMoon size={16} aria-hidden />
            {m.rail.theme}: {m.rail.themes[theme]}
          </MenuItem>
          <Separator className={floating.separator ?? ""} />
          <MenuItem id="sign-out" onAction={() => leave.mutate()} className={floating.item ?? ""} textValue={m.rail.signOut}>
            <LogOut size={16} aria-hidden />
            {m.rail.signOut}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
