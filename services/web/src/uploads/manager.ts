// Uploads: they live beside the pages, survive navigation, network loss and (with the same file given
// again, or a handle to it) a reload. tus 1.0.0 does the work; the server's acknowledged offset counts.

import type { DetailedError, Upload } from "tus-js-client";
import { changeHeaders, isOutdated, renewSession } from "../api/renewal";
import { m } from "../messages";
import { size } from "../messages/format";
import { allRecords, dropRecord, keepRecord, markOf, type UploadRecord } from "./records";
import { Speedometer } from "./speed";

export type UploadState = "waiting" | "uploading" | "offline" | "paused" | "needs-file" | "needs-permission" | "failed" | "complete";

export interface UploadItem {
  id: string;
  productionId: string;
  fileName: string;
  size: number;
  sent: number;
  state: UploadState;
  bytesPerSecond: number | undefined;
  secondsLeft: number | undefined;
  assetId: string | undefined;
  failure: string | undefined;
  /** Begun where this browser knows nothing of it. */
  elsewhere: boolean;
  /** Instant, ISO 8601. */
  createdAt: string;
}

/** An upload of one's own that the server has not got all of yet. */
export interface Unfinished {
  location: string;
  file_name?: string | null;
  length_bytes?: number | null;
  offset_bytes: number;
  created_at: string;
}

interface Entry {
  record: UploadRecord;
  state: UploadState;
  file?: File;
  upload?: Upload;
  speed: Speedometer;
  assetId?: string;
  failure?: string;
  /** Cookie or CSRF token may have been replaced since the last request. */
  mayBeOutdated?: boolean;
  /** The session was asked for, and no request has succeeded since. */
  renewed?: boolean;
}

/** How many files are sent at once: enough to fill a line, few enough that the first is done soon. */
const PARALLEL = 3;
/** How often the pages are told. */
const NOTIFY_MS = 250;
/** The server lists no more than this. */
const MOST_LISTED = 1000;
const RETRY_MS = [500, 1000, 2000, 4000, 8000, 15_000];
/** An answer to HEAD has no body that could say it. */
const SIGN_IN_REQUIRED = "urn:kinora:problem:sign-in-required";

export interface Incoming {
  file: File;
  handle?: FileSystemFileHandle | undefined;
}

export class UploadManager {
  private entries: Entry[] = [];
  private listeners = new Set<() => void>();
  private snapshot: readonly UploadItem[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private personId = "";
  private restored: Promise<void> = Promise.resolve();

  constructor() {
    globalThis.addEventListener?.("online", () => this.wake());
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  items = (): readonly UploadItem[] => this.snapshot;

  /** Brings back what was unfinished when this person last had a page open here. */
  restore(personId: string): Promise<void> {
    if (this.personId !== personId) {
      this.personId = personId;
      this.restored = this.readRecords(personId);
    }
    return this.restored;
  }

  private async readRecords(personId: string): Promise<void> {
    for (const entry of this.entries) void entry.upload?.abort();
    this.entries = [];
    const all = await allRecords();
    if (this.personId !== personId) return;
    const records = all.filter((record) => record.personId === personId).toSorted((a, b) => a.createdAt - b.createdAt);
    for (const record of records) {
      if (this.entries.some((entry) => entry.record.id === record.id)) continue;
      if (record.handle) record.fileName = record.handle.name;
      const entry: Entry = { record, state: "needs-file", speed: new Speedometer() };
      this.entries.push(entry);
      if (record.handle) void this.reopen(entry, false);
    }
    this.changed();
  }

  /** Productions in which there are uploads whose name only the server knows. */
  nameless(): string[] {
    return [...new Set(this.entries.filter(({ record }) => record.url && record.fileName === undefined).map(({ record }) => record.productionId))];
  }

  /**
   * Takes over what the server says is unfinished: uploads that this browser has forgotten, or that were
   * begun elsewhere, are shown too; those that the server has no more are not.
   */
  adopt(productionId: string, unfinished: readonly Unfinished[], personId: string): void {
    if (this.personId !== personId) return;
    const known = new Map(this.entries.flatMap((entry) => (entry.record.url ? [[addressOf(entry.record.url), entry] as const] : [])));
    for (const upload of unfinished) {
      const entry = known.get(addressOf(upload.location));
      if (entry) {
        if (upload.file_name) entry.record.fileName ??= upload.file_name;
        if (entry.state === "needs-file" || entry.state === "needs-permission") entry.record.sent = upload.offset_bytes;
      } else if (upload.length_bytes != null && upload.file_name) {
        const id = crypto.randomUUID();
        const record: UploadRecord = {
          id,
          productionId,
          fileName: upload.file_name,
          nameMark: markOf(id, upload.file_name),
          size: upload.length_bytes,
          url: upload.location,
          sent: upload.offset_bytes,
          paused: false,
          createdAt: Date.parse(upload.created_at),
          personId,
        };
        this.entries.push({ record, state: "needs-file", speed: new Speedometer() });
      }
    }
    // A full list may not be all of it.
    if (unfinished.length >= MOST_LISTED) return this.changed();
    const there = new Set(unfinished.map(({ location: address }) => addressOf(address)));
    for (const entry of this.entries.filter(({ state, record }) => state === "needs-file" && record.productionId === productionId && record.url)) {
      if (!there.has(addressOf(entry.record.url ?? ""))) this.forget(entry);
    }
    this.changed();
  }

  /** Starts uploads, or goes on with unfinished ones of the same files. */
  add(productionId: string, incoming: Incoming[]): void {
    for (const { file, handle } of incoming) {
      const known = this.entries.find(
        (entry) =>
          (entry.state === "needs-file" || entry.state === "needs-permission") &&
          entry.record.productionId === productionId &&
          isSameFile(entry.record, file),
      );
      if (known) {
        this.giveFile(known, file, handle);
        continue;
      }
      const id = crypto.randomUUID();
      const record: UploadRecord = {
        id,
        productionId,
        fileName: file.name,
        nameMark: markOf(id, file.name),
        size: file.size,
        lastModified: file.lastModified,
        sent: 0,
        paused: false,
        createdAt: Date.now(),
        personId: this.personId,
        ...(handle ? { handle } : {}),
      };
      this.entries.push({ record, state: "waiting", file, speed: new Speedometer() });
      void keepRecord(record);
    }
    this.next();
    this.changed();
  }

  /** Gives an unfinished upload its file again; false if it is another file. */
  supply(id: string, file: File): boolean {
    const entry = this.find(id);
    if (!entry || !isSameFile(entry.record, file)) return false;
    this.giveFile(entry, file);
    this.next();
    this.changed();
    return true;
  }

  /** Asks the browser for the remembered file; must come from a press. */
  async allow(id: string): Promise<void> {
    const entry = this.find(id);
    if (entry) await this.reopen(entry, true);
  }

  pause(id: string): void {
    const entry = this.find(id);
    if (!entry || !["waiting", "uploading", "offline"].includes(entry.state)) return;
    void entry.upload?.abort();
    entry.state = "paused";
    entry.record.paused = true;
    entry.speed.reset();
    void keepRecord(entry.record);
    this.next();
    this.changed();
  }

  resume(id: string): void {
    const entry = this.find(id);
    if (!entry || !["paused", "failed", "offline"].includes(entry.state)) return;
    entry.record.paused = false;
    entry.failure = undefined as never;
    delete entry.failure;
    entry.state = entry.file ? "waiting" : "needs-file";
    void keepRecord(entry.record);
    this.next();
    this.changed();
  }

  pauseAll(): void {
    for (const entry of this.entries) this.pause(entry.record.id);
  }

  resumeAll(): void {
    for (const entry of this.entries) if (entry.state === "paused") this.resume(entry.record.id);
  }

  /** Ends an upload and removes what was sent. */
  async cancel(id: string): Promise<void> {
    const entry = this.find(id);
    if (!entry) return;
    this.forget(entry);
    const { url } = entry.record;
    await entry.upload?.abort();
    if (url) {
      // The server removes it by itself after some days; now is nicer.
      const { Upload } = await tus();
      const onBeforeRequest = async (request: Parameters<typeof addHeaders>[0]) => {
        await renewSession();
        addHeaders(request);
      };
      await Upload.terminate(url, { onBeforeRequest, retryDelays: [500, 2000] }).catch(() => undefined);
    }
  }

  /** Takes a finished or failed one off the list. */
  dismiss(id: string): void {
    const entry = this.find(id);
    if (entry) this.forget(entry);
  }

  clearDone(): void {
    for (const entry of this.entries.filter(({ state }) => state === "complete")) this.forget(entry);
  }

  private find(id: string): Entry | undefined {
    return this.entries.find((entry) => entry.record.id === id);
  }

  private forget(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
    void dropRecord(entry.record.id);
    this.next();
    this.changed();
  }

  private giveFile(entry: Entry, file: File, handle?: FileSystemFileHandle): void {
    entry.file = file;
    // From now on this browser knows exactly which file it is.
    entry.record.lastModified = file.lastModified;
    entry.record.fileName = file.name;
    if (handle) entry.record.handle = handle;
    entry.state = entry.record.paused ? "paused" : "waiting";
    void keepRecord(entry.record);
  }

  private async reopen(entry: Entry, ask: boolean): Promise<void> {
    const { handle } = entry.record;
    if (!handle) return;
    try {
      const options = { mode: "read" as const };
      let permission = (await handle.queryPermission?.(options)) ?? "prompt";
      if (permission !== "granted" && ask) permission = (await handle.requestPermission?.(options)) ?? "denied";
      if (permission === "granted") {
        const file = await handle.getFile();
        if (isSameFile(entry.record, file)) this.giveFile(entry, file, handle);
        else entry.state = "needs-file";
      } else {
        entry.state = permission === "prompt" ? "needs-permission" : "needs-file";
      }
    } catch {
      // Moved, deleted or unplugged: the person has to show where it is.
      entry.state = "needs-file";
    }
    this.next();
    this.changed();
  }

  /** Starts as many waiting uploads as may run at once. */
  private next(): void {
    let running = this.entries.filter(({ state }) => state === "uploading" || state === "offline").length;
    for (const entry of this.entries) {
      if (running >= PARALLEL) return;
      if (entry.state === "waiting" && entry.file) {
        void this.start(entry, entry.file);
        running += 1;
      }
    }
  }

  private async start(entry: Entry, file: File): Promise<void> {
    const { record } = entry;
    entry.state = "uploading";
    entry.speed.reset();
    // Loaded with the first upload: most visits only watch.
    const { Upload } = await tus();
    if (entry.state !== "uploading" || !this.entries.includes(entry)) return;
    const upload = new Upload(file, {
      endpoint: `/api/media/v1/productions/${record.productionId}/uploads`,
      ...(record.url ? { uploadUrl: record.url } : {}),
      metadata: { filename: file.name, filetype: file.type || "application/octet-stream" },
      retryDelays: RETRY_MS,
      // Records are our own: they know the production and the person.
      storeFingerprintForResuming: false,
      onBeforeRequest: async (request) => {
        if (entry.mayBeOutdated) {
          await renewSession();
          entry.renewed = true;
          entry.mayBeOutdated = false;
        }
        addHeaders(request);
      },
      onUploadUrlAvailable: () => {
        if (!upload.url || upload.url === record.url) return;
        record.url = upload.url;
        void keepRecord(record);
        // The server may have listed it before it told us where it is.
        const address = addressOf(upload.url);
        this.entries = this.entries.filter((other) => other === entry || !other.record.url || addressOf(other.record.url) !== address);
      },
      onAfterResponse: (request, response) => {
        const status = response.getStatus();
        // Left to itself, tus would begin a new upload for one that the former cookie does not find.
        if (request.getMethod() === "HEAD" && !entry.renewed && isOutdated(status, SIGN_IN_REQUIRED)) throw new Error("the cookie was replaced");
        if (status < 300) entry.renewed = false;
        entry.assetId = response.getHeader("Kinora-Asset") ?? entry.assetId ?? (undefined as never);
        if (entry.state === "offline") {
          entry.state = "uploading";
          this.changed();
        }
      },
      onProgress: (sent) => {
        record.sent = sent;
        entry.speed.add(performance.now(), sent);
        if (entry.state === "offline") entry.state = "uploading";
        this.changed();
      },
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus() ?? 0;
        // 409 and 423: our own earlier request has not been given up by the server yet.
        const outdated = !entry.renewed && isOutdated(status, typeIn(error.originalResponse?.getBody()));
        const again = outdated || status === 0 || status >= 500 || status === 409 || status === 423 || status === 429;
        if (again && status !== 507) {
          // A refusal of a large body may arrive as a connection that broke.
          entry.mayBeOutdated = outdated || status === 0;
          entry.state = "offline";
          entry.speed.reset();
          this.changed();
          return true;
        }
        return false;
      },
      onSuccess: () => {
        record.sent = record.size;
        entry.state = "complete";
        void dropRecord(record.id);
        this.next();
        this.changed();
      },
      onError: (error) => {
        if (entry.state === "paused" || !this.entries.includes(entry)) return;
        const detailed = "originalRequest" in error ? (error as DetailedError) : undefined;
        const response = detailed?.originalResponse;
        const status = response?.getStatus() ?? 0;
        if (detailed && (status === 0 || (status >= 500 && status !== 507))) {
          // Out of patience for now; `online` or the clock wakes it.
          entry.state = "offline";
          setTimeout(() => this.retryOffline(entry), RETRY_MS.at(-1));
        } else {
          entry.state = "failed";
          entry.failure = sentenceIn(response?.getBody()) ?? (status ? m.errors.unexpected : error.message);
        }
        this.next();
        this.changed();
      },
    });
    entry.upload = upload;
    upload.start();
  }

  private retryOffline(entry: Entry): void {
    if (entry.state !== "offline" || !entry.file || !this.entries.includes(entry)) return;
    void this.start(entry, entry.file);
    this.changed();
  }

  private wake(): void {
    for (const entry of this.entries) {
      if (entry.state !== "offline") continue;
      void entry.upload?.abort().then(() => this.retryOffline(entry));
    }
  }

  private changed(): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.snapshot = this.entries.map(describe);
      for (const listener of this.listeners) listener();
    }, this.snapshot.length === this.entries.length ? NOTIFY_MS : 0);
  }
}

const addressOf = (url: string) => new URL(url, location.href).pathname;

const tus = () => import("tus-js-client");

function describe({ record, state, speed, assetId, failure }: Entry): UploadItem {
  const bytesPerSecond = state === "uploading" ? speed.perSecond() : undefined;
  return {
    id: record.id,
    productionId: record.productionId,
    fileName: record.fileName ?? m.activity.nameless(size(record.size)),
    size: record.size,
    sent: record.sent,
    state,
    bytesPerSecond,
    secondsLeft: bytesPerSecond ? (record.size - record.sent) / bytesPerSecond : undefined,
    assetId,
    failure,
    elsewhere: record.lastModified === undefined,
    createdAt: new Date(record.createdAt).toISOString(),
  };
}

function isSameFile(record: UploadRecord, file: File): boolean {
  // The server knows name and size, not when the file was last changed.
  const sameTime = record.lastModified === undefined || record.lastModified === file.lastModified;
  return record.nameMark === markOf(record.id, file.name) && record.size === file.size && sameTime;
}

function addHeaders(request: { setHeader: (name: string, value: string) => void; getMethod: () => string }): void {
  if (request.getMethod() === "HEAD") return;
  for (const [name, value] of Object.entries(changeHeaders())) request.setHeader(name, value);
}

function problemIn(body: string | undefined): { type?: string; detail?: string; title?: string } {
  try {
    return JSON.parse(body ?? "") as { type?: string; detail?: string; title?: string };
  } catch {
    return {};
  }
}

/** The type of a problem+json body. */
const typeIn = (body: string | undefined) => problemIn(body).type;

/** The sentence of a problem+json body. */
function sentenceIn(body: string | undefined): string | undefined {
  const { detail, title } = problemIn(body);
  return detail ?? title;
}

export const uploads = new UploadManager();

/** The files of a drop, with handles where the browser gives them. Folders are walked through. */
export async function filesOf(transfer: DataTransfer): Promise<Incoming[]> {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  // All of these must be asked for before the first await: the list is emptied then.
  const sources = items.map((item) => ({
    file: item.getAsFile(),
    entry: item.webkitGetAsEntry?.() ?? null,
    handle: item.getAsFileSystemHandle?.().catch(() => null) ?? null,
  }));
  const found: Incoming[] = [];
  for (const { file, entry, handle } of sources) {
    const known = await handle;
    if (known?.kind === "directory") await walkHandle(known as FileSystemDirectoryHandle, found);
    else if (entry?.isDirectory) await walkEntry(entry as FileSystemDirectoryEntry, found);
    else if (file) found.push({ file, handle: (known as FileSystemFileHandle | null) ?? undefined });
  }
  return found.filter(({ file }) => !isClutter(file.name));
}

const isClutter = (name: string) => name === ".DS_Store" || name === "Thumbs.db" || name.startsWith("._");

async function walkHandle(directory: FileSystemDirectoryHandle, found: Incoming[]): Promise<void> {
  for await (const handle of directory.values()) {
    if (handle.kind === "directory") await walkHandle(handle as FileSystemDirectoryHandle, found);
    else found.push({ file: await (handle as FileSystemFileHandle).getFile(), handle: handle as FileSystemFileHandle });
  }
}

async function walkEntry(directory: FileSystemDirectoryEntry, found: Incoming[]): Promise<void> {
  const reader = directory.createReader();
  for (;;) {
    // A reader gives at most a hundred at a time.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (entry.isDirectory) await walkEntry(entry as FileSystemDirectoryEntry, found);
      else found.push({ file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) });
    }
  }
}

/** Opens the browser's file chooser. */
export async function chooseFiles(options: { multiple: boolean }): Promise<Incoming[]> {
  if (window.showOpenFilePicker) {
    try {
      const handles = await window.showOpenFilePicker({ multiple: options.multiple });
      return await Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle })));
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return [];
      // Refused by policy: the plain chooser below.
    }
  }
  return new Promise((resolve) => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = options.multiple;
    input.addEventListener("change", () => resolve([...(input.files ?? [])].map((file) => ({ file }))));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  });
}
