// Buttons, fields and notices: the smallest parts, all in one look.

import { AlertTriangle, CircleAlert, Eye, EyeOff, Info, LoaderCircle, Search } from "lucide-react";
import { useState, type ComponentProps, type ReactNode, type RefObject } from "react";
import {
  Button as AriaButton,
  FieldError,
  Input,
  Label,
  Text,
  TextField as AriaTextField,
  ToggleButton,
  ToggleButtonGroup,
  Tooltip,
  TooltipTrigger,
  type ButtonProps as AriaButtonProps,
  type TextFieldProps as AriaTextFieldProps,
} from "react-aria-components";
import { m } from "../messages";
import css from "./controls.module.css";
import floating from "./floating.module.css";

export type Tone = "normal" | "primary" | "danger" | "quiet";

export function buttonClass(tone: Tone = "normal", options: { dense?: boolean | undefined; icon?: boolean } = {}): string {
  const toned = tone === "normal" ? "" : css[tone];
  return [css.button, toned, options.dense ? css.dense : "", options.icon ? css.icon : ""].filter(Boolean).join(" ");
}

interface ButtonProps extends Omit<AriaButtonProps, "className" | "children"> {
  tone?: Tone;
  dense?: boolean;
  icon?: ReactNode;
  busy?: boolean;
  children?: ReactNode;
}

export function Button({ tone, dense, icon, busy, children, isDisabled, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} isDisabled={isDisabled || busy} className={buttonClass(tone, { dense })}>
      {busy ? <LoaderCircle size={16} className={css.busy} aria-hidden /> : icon}
      {children}
    </AriaButton>
  );
}

interface IconButtonProps extends Omit<AriaButtonProps, "className" | "children"> {
  label: string;
  /** Shown behind the label in the tooltip. */
  shortcut?: string;
  tone?: Tone;
  dense?: boolean;
  children: ReactNode;
}

/** A button with a picture only: its name is its tooltip. */
export function IconButton({ label, shortcut, tone = "quiet", dense, children, ...rest }: IconButtonProps) {
  return (
    <TooltipTrigger delay={500} closeDelay={0}>
      <AriaButton {...rest} aria-label={label} className={buttonClass(tone, { dense, icon: true })}>
        {children}
      </AriaButton>
      <Tooltip className={floating.tooltip ?? ""} offset={6}>
        {label}
        {shortcut && <kbd className={css.kbd}>{shortcut}</kbd>}
      </Tooltip>
    </TooltipTrigger>
  );
}

interface TextFieldProps extends Omit<AriaTextFieldProps, "className" | "children" | "name"> {
  label: string;
  hint?: ReactNode;
  /** The field's name in the request: what the server says about it (Form's validationErrors) appears below. */
  name: string;
  placeholder?: string;
  inputRef?: RefObject<HTMLInputElement | null>;
}

export function TextField({ label, hint, placeholder, inputRef, ...rest }: TextFieldProps) {
  return (
    <AriaTextField {...rest} className={css.field ?? ""}>
      <Label className={css.label ?? ""}>{label}</Label>
      <Input className={css.input ?? ""} placeholder={placeholder} ref={inputRef} />
      {hint && (
        <Text slot="description" className={css.hint ?? ""}>
          {hint}
        </Text>
      )}
      <FieldError className={css.error ?? ""} />
    </AriaTextField>
  );
}

export function PasswordField({ label, hint, ...rest }: TextFieldProps) {
  const [shown, setShown] = useState(false);
  return (
    <AriaTextField {...rest} type={shown ? "text" : "password"} className={css.field ?? ""}>
      <Label className={css.label ?? ""}>{label}</Label>
      <div className={css.inputWithButton}>
        <Input className={css.input ?? ""} spellCheck={false} autoCapitalize="none" />
        <div className={css.inside}>
          <IconButton label={shown ? m.signIn.hide : m.signIn.show} onPress={() => setShown(!shown)}>
            {shown ? <EyeOff size={16} /> : <Eye size={16} />}
          </IconButton>
        </div>
      </div>
      {hint && (
        <Text slot="description" className={css.hint ?? ""}>
          {hint}
        </Text>
      )}
      <FieldError className={css.error ?? ""} />
    </AriaTextField>
  );
}

interface SearchBoxProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  shortcut?: string;
  id?: string;
}

export function SearchBox({ label, value, onChange, shortcut, id }: SearchBoxProps) {
  return (
    <div className={css.searchBox} role="search">
      <Search size={16} aria-hidden />
      <input
        id={id}
        type="search"
        className={css.input}
        aria-label={label}
        placeholder={label}
        value={value}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          if (value) onChange("");
          else event.currentTarget.blur();
          event.stopPropagation();
        }}
      />
      {shortcut && !value && <kbd className={css.kbd}>{shortcut}</kbd>}
    </div>
  );
}

interface SelectOption<T extends string> {
  value: T;
  label: string;
  disabled?: boolean;
  /** The heading it stands below; options of a group stand together. */
  group?: string | undefined;
}

interface SelectProps<T extends string> extends Omit<ComponentProps<"select">, "value" | "onChange" | "className"> {
  label: string;
  hideLabel?: boolean;
  dense?: boolean;
  value: T;
  options: readonly SelectOption<T>[];
  onChange: (value: T) => void;
  hint?: string;
}

function Options<T extends string>({ options }: { options: readonly SelectOption<T>[] }) {
  return options.map((option) => (
    <option key={option.value} value={option.value} disabled={option.disabled}>
      {option.label}
    </option>
  ));
}

/** The system's own select: quick, accessible, and pleasant on a phone. */
export function SelectField<T extends string>({ label, hideLabel, dense, value, options, onChange, hint, ...rest }: SelectProps<T>) {
  return (
    <label className={css.field}>
      <span className={hideLabel ? "visually-hidden" : css.label}>{label}</span>
      <select
        {...rest}
        className={[css.select, dense ? css.selectDense : ""].join(" ")}
        value={value}
        onChange={(event) => onChange(event.target.value as T)}
      >
        <Options options={options.filter(({ group }) => !group)} />
        {[...new Set(options.map(({ group }) => group))].map(
          (group) =>
            group && (
              <optgroup key={group} label={group}>
                <Options options={options.filter((option) => option.group === group)} />
              </optgroup>
            ),
        )}
      </select>
      {hint && <span className={css.hint}>{hint}</span>}
    </label>
  );
}

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: string; icon?: ReactNode }[];
  onChange: (value: T) => void;
}

/** One of a few, all visible. */
export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>) {
  return (
    <ToggleButtonGroup
      aria-label={label}
      className={css.segments ?? ""}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const [key] = keys;
        if (key !== undefined) onChange(key as T);
      }}
    >
      {options.map((option) => (
        <ToggleButton key={option.value} id={option.value} aria-label={option.label} className={css.segment ?? ""}>
          {option.icon ?? option.label}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

export function Notice({ tone, children }: { tone: "danger" | "warning" | "info"; children: ReactNode }) {
  const [Icon, look] = { danger: [CircleAlert, css.noticeDanger], warning: [AlertTriangle, css.noticeWarning], info: [Info, css.noticeInfo] }[
    tone
  ] as [typeof Info, string];
  return (
    <div className={`${css.notice} ${look}`} role={tone === "danger" ? "alert" : undefined}>
      <Icon size={16} aria-hidden />
      <div>{children}</div>
    </div>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className={css.kbd}>{children}</kbd>;
}
