// What is remembered of unfinished uploads across reloads, in IndexedDB: where they are on the server, how to know
// the file again, and (where the browser has such things) a handle to read it. No names: whoever else uses this
// computer learns none. The server says what a file is called, or the handle, which leads only to where the file lies.

export interface UploadRecord {
  id: string;
  productionId: string;
  size: number;
  /** Of the file's name; see [[markOf]]. */
  nameMark: number;
  /** Absent if only the server knows of the upload. */
  lastModified?: number;
  /** Absent until the server has given the upload its address. */
  url?: string;
  sent: number;
  paused: boolean;
  createdAt: number;
  /** Whose upload this is; another person at the same browser does not see it. */
  personId: string;
  handle?: FileSystemFileHandle;
  /** Never stored. Absent after a reload, until server or file say it. */
  fileName?: string;
}

/** As former releases stored it. */
interface NamedRecord extends Omit<UploadRecord, "nameMark" | "fileName"> {
  fileName: string;
  productionName: string;
}

/**
 * Tells files of the same size and time apart, and is too short to find a name by: FNV-1a, 32 bits, another in each
 * record.
 */
export function markOf(id: string, fileName: string): number {
  let mark = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${id}/${fileName}`)) mark = Math.imul(mark ^ byte, 0x01000193);
  return mark >>> 0;
}

/** What may be stored of a record. */
export function nameless(record: UploadRecord | NamedRecord): UploadRecord {
  const kept: Partial<NamedRecord> & { nameMark?: number } = { nameMark: "nameMark" in record ? record.nameMark : markOf(record.id, record.fileName), ...record };
  delete kept.fileName;
  delete kept.productionName;
  return kept as UploadRecord;
}

const STORE = "uploads";
let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("kinora", 1);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE, { keyPath: "id" }));
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("no IndexedDB")));
  });
  return opened;
}

async function run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const store = (await database()).transaction(STORE, mode).objectStore(STORE);
  return new Promise((resolve, reject) => {
    const request = act(store);
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("IndexedDB failed")));
  });
}

// Private windows may refuse storage: uploads still work there, only not across a reload.

export async function allRecords(): Promise<UploadRecord[]> {
  try {
    const all = await run("readonly", (store) => store.getAll() as IDBRequest<(UploadRecord | NamedRecord)[]>);
    return await Promise.all(all.map(async (record) => ("nameMark" in record ? record : forgetNames(record))));
  } catch {
    return [];
  }
}

/** Takes the names out of a record of a former release, whoever it belongs to. */
async function forgetNames(named: NamedRecord): Promise<UploadRecord> {
  const record = nameless(named);
  await keepRecord(record);
  return record;
}

export async function keepRecord(record: UploadRecord): Promise<void> {
  try {
    await run("readwrite", (store) => store.put(nameless(record)));
  } catch {
    // See above.
  }
}

export async function dropRecord(id: string): Promise<void> {
  try {
    await run("readwrite", (store) => store.delete(id));
  } catch {
    // See above.
  }
}
