// What is remembered of unfinished uploads across reloads, in IndexedDB: where they are on the server,
// which file it was, and (where the browser has such things) a handle to read the file again.

export interface UploadRecord {
  id: string;
  productionId: string;
  productionName: string;
  fileName: string;
  size: number;
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
    return await run("readonly", (store) => store.getAll() as IDBRequest<UploadRecord[]>);
  } catch {
    return [];
  }
}

export async function keepRecord(record: UploadRecord): Promise<void> {
  try {
    await run("readwrite", (store) => store.put(record));
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
